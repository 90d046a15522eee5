package codec

import "testing"

func BenchmarkParse(b *testing.B) {
	for name, value := range map[string]string{"usage": usageEvent, "created": createdEvent} {
		b.Run(name, func(b *testing.B) {
			m, p := structured(value), Parser{Currency: vnd()}
			b.SetBytes(int64(len(value)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Parse(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkContent(b *testing.B) {
	for name, value := range map[string]string{"usage": usageEvent, "created": createdEvent} {
		b.Run(name, func(b *testing.B) {
			e, _ := reasonOf(b, structured(value))
			b.ReportAllocs()
			for b.Loop() {
				Content(&e)
			}
		})
	}
}

func BenchmarkSetData(b *testing.B) {
	e, _ := reasonOf(b, structured(createdEvent))
	data := string(AppendData(nil, &e))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := SetData(&e, data); err != nil {
			b.Fatal(err)
		}
	}
}

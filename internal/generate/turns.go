package generate

// turn says when something happens to which resource.
type turn struct {
	at int64
	of int32
}

func (t turn) before(o turn) bool { return t.at < o.at || t.at == o.at && t.of < o.of }

// turns is a binary heap, the earliest first. It is not container/heap, whose
// interface costs more than all the rest of a usage event.
type turns []turn

func (q *turns) push(t turn) {
	*q = append(*q, t)
	h := *q
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// replace puts another turn in the place of the first.
func (q *turns) replace(t turn) {
	h := *q
	i := 0
	for {
		down := 2*i + 1
		if down >= len(h) {
			break
		}
		if down+1 < len(h) && h[down+1].before(h[down]) {
			down++
		}
		if !h[down].before(t) {
			break
		}
		h[i] = h[down]
		i = down
	}
	h[i] = t
}

func (q *turns) pop() {
	h := *q
	last := h[len(h)-1]
	*q = h[:len(h)-1]
	if len(*q) > 0 {
		q.replace(last)
	}
}

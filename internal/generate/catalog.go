package generate

import (
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/reckon-billing/reckon/schemas"
)

// product is one kind of resource that the cloud sells.
type product struct {
	// prefix begins resource ids, share is how many of a hundred resources are it.
	prefix string
	share  int
	// product and service are the report's columns; source sends the events.
	product, service, source string
	names                    []string
	// items is the price list: a resource of a size has these.
	items func(size int) []schemas.Item
	// gauges say which usage is recorded; none for what is not metered.
	gauges []gauge
}

// gauge makes the usage values of one item: from low to high, in units of
// 10^-places.
type gauge struct {
	item      string
	low, high uint64
	places    int32
}

func d(coefficient int64, places int32) decimal.Decimal { return decimal.New(coefficient, -places) }

// fixed is an item with a quantity; unitPrice is in whole đồng.
func fixed(name, unit string, unitPrice int64, quantity int, per schemas.Per) schemas.Item {
	return schemas.Item{Name: name, Unit: unit, UnitPrice: d(unitPrice, 0), Quantity: d(int64(quantity), 0), Per: per}
}

// metered is an item with a meter; the price is in units of 10^-places đồng.
func metered(name, unit string, price int64, places int32, m schemas.Meter, per schemas.Per, free int64) schemas.Item {
	return schemas.Item{
		Name: name, Unit: unit, UnitPrice: d(price, places), Meter: m, Per: per, FreeQuantity: d(free, 0),
	}
}

// sizes is how many sizes each product comes in.
const sizes = 6

// catalog is what the cloud sells, prices in VND as in a public price list.
func catalog() []product { return append(machines(), services()...) }

// machines are sold by size, for as long as they are there.
func machines() []product {
	return []product{
		{
			prefix: "srv", share: 30, product: "vServer", service: "Máy chủ ảo", source: "vserver.hcm-03",
			names: []string{"Máy chủ kế toán", "web-01", "Máy chủ \"thử nghiệm\"", "Cơ sở dữ liệu, bản chính", "worker"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					fixed("vcpu", "vCPU", 60_500, 1<<size/2+1, schemas.Per30d),
					fixed("ram", "GB", 33_000, 1<<size, schemas.Per30d),
					fixed("boot_disk", "GB", 1_650, 20+20*size, schemas.Per30d),
				}
			},
		},
		{
			prefix: "pkg", share: 8, product: "vServer", service: "Máy chủ trọn gói", source: "vserver.han-01",
			names: []string{"Gói khởi nghiệp", "Gói cửa hàng – chi nhánh 2", "demo\\lab"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{fixed("package_"+strconv.Itoa(size), "server",
					[]int64{181_500, 264_000, 520_000, 880_000, 1_540_000, 2_970_000}[size], 1, schemas.Per30d)}
			},
		},
		{
			prefix: "vol", share: 19, product: "vStorage Block", service: "Ổ đĩa", source: "vvolume.hcm-03",
			names: []string{"Ổ đĩa dữ liệu", "backup", "Ổ ghi nhật ký"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{fixed("ssd", "GB", 2_200, 40*(size+1), schemas.Per30d)}
			},
		},
	}
}

// services are, in part, sold by what is used of them.
func services() []product {
	return []product{
		{
			prefix: "sto", share: 12, product: "vStorage", service: "Kho lưu trữ", source: "vstorage.han-01",
			names: []string{"Kho ảnh sản phẩm", "Kho lưu trữ hồ sơ bệnh án", "static-assets"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					metered("capacity", "GB", 660-30*int64(size), 0, schemas.TimeWeighted, schemas.Per30d, 0),
					metered("requests", "request", 5, 3, schemas.Sum, schemas.PerUse, 20_000),
					metered("egress", "GB", 800, 0, schemas.Sum, schemas.PerUse, 10),
				}
			},
			gauges: []gauge{
				{"capacity", 50_000, 5_000_000, 3}, {"requests", 0, 90_000, 0}, {"egress", 1, 9_999_999, 6},
			},
		},
		{
			prefix: "bw", share: 9, product: "vNetwork", service: "Băng thông", source: "vnetwork.hcm-03",
			names: []string{"Băng thông quốc tế", "Băng thông trong nước", "IP Đà Nẵng"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					fixed("public_ip", "IP", 55_000, size+1, schemas.Per30d),
					metered("traffic", "GB", 1_000, 0, schemas.Sum, schemas.PerUse, int64(5*size)),
					metered("commit", "Mbps", 12_100, 0, schemas.Avg, schemas.Per30d, 0),
					metered("port", "Gbps", 550_000, 0, schemas.Last, schemas.Per30d, 0),
				}
			},
			gauges: []gauge{{"traffic", 1, 8_500_000_000, 9}, {"commit", 100, 99_999, 2}, {"port", 1, 10, 0}},
		},
		{
			prefix: "k8s", share: 6, product: "vKS", service: "Kubernetes", source: "vks.hcm-03",
			names: []string{"Cụm sản xuất", "staging", "Cụm học máy"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					fixed("control_plane", "cluster", 770, 1, schemas.Per1h),
					metered("workers", "node", 52_800+1_100*int64(size), 0, schemas.Max, schemas.Per1d, 1),
					metered("images", "image", 125, 0, schemas.Unique, schemas.PerUse, 3),
				}
			},
			gauges: []gauge{{"workers", 1, 12, 0}, {"images", 1, 40, 0}},
		},
		{
			prefix: "lb", share: 7, product: "vLB", service: "Cân bằng tải", source: "vlb.han-01",
			names: []string{"Cân bằng tải cửa hàng", "api-gateway"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					fixed("load_balancer", "LB", 440_000, 1, schemas.Per30d),
					metered("backends", "backend", 5_500, 0, schemas.Min, schemas.Per30d, int64(size)),
					metered("connections", "connection", 12, 4, schemas.Sum, schemas.PerUse, 100_000),
				}
			},
			gauges: []gauge{{"backends", 1, 30, 0}, {"connections", 0, 250_000, 0}},
		},
		{
			prefix: "snap", share: 9, product: "vSnapshot", service: "Bản chụp", source: "vsnapshot.hcm-03",
			names: []string{"Bản chụp hằng đêm", "trước khi nâng cấp"},
			items: func(size int) []schemas.Item {
				return []schemas.Item{
					{
						Name: "snapshot", Unit: "GB", UnitPrice: d(77, 1), Quantity: d(10*int64(size+1), 0), Per: schemas.Per1h,
					},
					metered("copies", "copy", 550, 0, schemas.Count, schemas.PerUse, 2),
				}
			},
			gauges: []gauge{{"copies", 1, 1, 0}},
		},
	}
}

// terms are what the resource's owner was offered: one discount and one tax on
// all items, kept through its life.
func terms(items []schemas.Item, discount, tax decimal.Decimal) []schemas.Item {
	for i := range items {
		items[i].DiscountPercent, items[i].TaxPercent = discount, tax
	}
	return items
}

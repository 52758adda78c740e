package checker

import "slices"

// graph says which of some numbered things come before which.
type graph struct {
	size  int
	links []link
}

type link struct{ first, second int32 }

func newGraph(size int) *graph { return &graph{size: size} }

// link says that one comes before another. Links of none are left out.
func (g *graph) link(first, second int32) {
	if first != none && second != none && first != second {
		g.links = append(g.links, link{first, second})
	}
}

// sort gives an order that agrees with all links, or else some that go round in a circle.
func (g *graph) sort() (order, circle []int32) {
	after := groupBy(len(g.links), g.size, func(i int) int32 { return g.links[i].first })
	open := make([]int32, g.size)
	for _, l := range g.links {
		open[l.second]++
	}
	order = make([]int32, 0, g.size)
	for n, before := range open {
		if before == 0 {
			order = append(order, int32(n))
		}
	}
	for done := 0; done < len(order); done++ {
		for _, i := range after.of(order[done]) {
			next := g.links[i].second
			if open[next]--; open[next] == 0 {
				order = append(order, next)
			}
		}
	}
	if len(order) < g.size {
		return nil, g.circle(open)
	}
	return order, nil
}

// circle walks back from any thing that never came first, until it comes to one again.
func (g *graph) circle(open []int32) (circle []int32) {
	before := make([]int32, g.size)
	start := none
	for _, l := range g.links {
		if open[l.first] > 0 && open[l.second] > 0 {
			before[l.second], start = l.first, l.second
		}
	}
	seen := map[int32]int{}
	for n := start; ; n = before[n] {
		if from, ok := seen[n]; ok {
			slices.Reverse(circle[from:])
			return circle[from:]
		}
		seen[n] = len(circle)
		circle = append(circle, n)
	}
}

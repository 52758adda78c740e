package checker

import "slices"

// numbering gives things short numbers: texts, and partitions.
type numbering[T comparable] struct {
	numbers map[T]int32
	all     []T
}

func newNumbering[T comparable]() *numbering[T] { return &numbering[T]{numbers: map[T]int32{}} }

func (n *numbering[T]) number(thing T) int32 {
	i, ok := n.numbers[thing]
	if !ok {
		i = int32(len(n.all))
		n.numbers[thing] = i
		n.all = append(n.all, thing)
	}
	return i
}

// find is the number of a thing that has one, or none.
func (n *numbering[T]) find(thing T) int32 {
	if i, ok := n.numbers[thing]; ok {
		return i
	}
	return none
}

// nones are n numbers that are none yet.
func nones(n int) []int32 { return slices.Repeat([]int32{none}, n) }

// groups are things by a number that each has, in their order.
type groups struct {
	starts []int32
	list   []int32
}

// groupBy groups the things 0 to n-1. A thing whose number is negative is in no group.
func groupBy(n, count int, numberOf func(i int) int32) groups {
	g := groups{starts: make([]int32, count+1)}
	for i := range n {
		if k := numberOf(i); k >= 0 {
			g.starts[k+1]++
		}
	}
	for k := range count {
		g.starts[k+1] += g.starts[k]
	}
	g.list = make([]int32, g.starts[count])
	next := append([]int32(nil), g.starts...)
	for i := range n {
		if k := numberOf(i); k >= 0 {
			g.list[next[k]] = int32(i)
			next[k]++
		}
	}
	return g
}

func (g groups) of(k int32) []int32 { return g.list[g.starts[k]:g.starts[k+1]] }

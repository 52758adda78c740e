package product

import stdheap "container/heap"

// heap gives the first of its items by an order.
type heap[T any] struct {
	items  []T
	before func(a, b T) bool
}

func newHeap[T any](before func(a, b T) bool) heap[T] {
	return heap[T]{before: before}
}

func (h *heap[T]) push(items ...T) {
	for _, item := range items {
		stdheap.Push(h, item)
	}
}

func (h *heap[T]) pop() T { return stdheap.Pop(h).(T) }
func (h *heap[T]) top() T { return h.items[0] }

// Len, Less, Swap, Push and Pop are for package container/heap.
func (h *heap[T]) Len() int           { return len(h.items) }
func (h *heap[T]) Less(i, j int) bool { return h.before(h.items[i], h.items[j]) }
func (h *heap[T]) Swap(i, j int)      { h.items[i], h.items[j] = h.items[j], h.items[i] }
func (h *heap[T]) Push(item any)      { h.items = append(h.items, item.(T)) }

func (h *heap[T]) Pop() any {
	last := len(h.items) - 1
	item := h.items[last]
	h.items = h.items[:last]
	return item
}

package main

import (
	"context"
	"syscall"
	"time"
)

// killWorker kills a worker, and starts another in its place.
func (h *hit) killWorker(ctx context.Context) error {
	w := h.herd.take(h.random)
	if w == nil {
		return errSkipped
	}
	h.herd.kill(w)
	h.rest(ctx, 0, 3*time.Second)
	return h.herd.start()
}

// stopWorker asks a worker to stop, and starts another in its place.
func (h *hit) stopWorker(context.Context) error {
	w := h.herd.take(h.random)
	if w == nil {
		return errSkipped
	}
	h.stop(w)
	return h.herd.start()
}

// stop: whatever else goes on, a worker that is asked to stop is gone after a while.
func (h *hit) stop(w *member) {
	if err := h.herd.stop(w); err != nil {
		h.journal.find("%s was asked to stop, and did not within %s", w.name, stopTime)
	}
}

// freezeWorker lets a worker stand still until its partitions are others', and go on.
func (h *hit) freezeWorker(ctx context.Context) error {
	w := h.herd.take(h.random)
	if w == nil {
		return errSkipped
	}
	defer h.herd.give(w)
	w.Signal(syscall.SIGSTOP)
	h.rest(ctx, h.session+time.Second, h.session+8*time.Second)
	w.Signal(syscall.SIGCONT)
	return nil
}

func (h *hit) addWorker(context.Context) error {
	if len(h.herd.all()) >= maxWorkers {
		return errSkipped
	}
	return h.herd.start()
}

func (h *hit) removeWorker(context.Context) error {
	if len(h.herd.all()) <= leastWorkers {
		return errSkipped
	}
	w := h.herd.take(h.random)
	if w == nil {
		return errSkipped
	}
	h.stop(w)
	return nil
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"allocation/deploy/local/child"
	"allocation/deploy/testbed/proxy"
)

// How many workers there are.
const (
	leastWorkers = 3
	maxWorkers   = 5
)

// stopTime is how long a worker that was asked to stop may take: SHUTDOWN_TIMEOUT, and some time of
// a busy machine.
const stopTime = 45 * time.Second

// herd is all workers.
type herd struct {
	campaign *campaign
	poison   bool // commands may fail as they ask for

	mu      sync.Mutex
	workers []*member
	started int
	watches sync.WaitGroup
}

// member is a worker's process.
type member struct {
	*child.Process
	name   string
	log    string
	began  time.Time
	busy   bool // a fault has it
	ending bool // somebody ends it
}

func newHerd(c *campaign) *herd { return &herd{campaign: c, poison: c.mix[partPoison] > 0} }

// start adds a worker.
func (h *herd) start() error {
	_, err := h.startBy(h.campaign.brokerWays, false)
	return err
}

// startBy adds one that reaches brokers by ways, and may be a fault's from the beginning.
func (h *herd) startBy(ways []*proxy.Proxy, busy bool) (*member, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started++
	name := fmt.Sprintf("worker-%d", h.started)
	w := &member{name: name, log: filepath.Join(h.campaign.logs, name+".log"), began: time.Now(), busy: busy}
	log, err := os.Create(w.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(h.campaign.program, "worker")
	cmd.Env = h.campaign.environment(name, ways)
	if h.poison {
		cmd.Env = append(cmd.Env, "ALLOCATION_POISON=on")
	}
	cmd.Stdout, cmd.Stderr = log, log
	if w.Process, err = child.Start(cmd, syscall.SIGKILL); err != nil {
		return nil, err
	}
	h.workers = append(h.workers, w)
	h.watches.Go(func() { h.watch(w) })
	return w, nil
}

// watch wants a worker to live until somebody ends it. Only a poisoned command may kill it.
func (h *herd) watch(w *member) {
	<-w.Done()
	h.mu.Lock()
	expected := w.ending
	h.workers = slices.DeleteFunc(h.workers, func(other *member) bool { return other == w })
	h.mu.Unlock()
	if expected {
		return
	}
	if !h.poison {
		h.campaign.journal.find("%s ended by itself: %v\n%s", w.name, w.Err(), child.Tail(w.log))
	}
	if err := h.start(); err != nil {
		h.campaign.journal.find("start a worker: %v", err)
	}
}

// take gives a worker to a fault; nil when all are taken.
func (h *herd) take(random *rand.Rand) *member {
	h.mu.Lock()
	defer h.mu.Unlock()
	free := slices.DeleteFunc(slices.Clone(h.workers), func(w *member) bool { return w.busy || w.ending })
	if len(free) == 0 {
		return nil
	}
	w := free[random.IntN(len(free))]
	w.busy = true
	return w
}

// give ends take.
func (h *herd) give(w *member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.busy = false
}

// kill ends a worker at once.
func (h *herd) kill(w *member) {
	h.end(w)
	w.Kill()
}

// stop ends a worker in order; an error says that it took too long.
func (h *herd) stop(w *member) error {
	const listens = 2 * time.Second // a program that has just been started does not know signals yet
	h.end(w)
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	rest(ctx, listens-time.Since(w.began))
	return w.End(ctx, syscall.SIGTERM)
}

func (h *herd) end(w *member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.ending = true
}

func (h *herd) all() []*member {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.workers)
}

// tails are the ends of the workers' logs.
func (h *herd) tails() (text string) {
	for _, w := range h.all() {
		text += fmt.Sprintf("\nthe log of %s:\n%s", w.name, child.Tail(w.log))
	}
	return text
}

func (h *herd) killAll() {
	for _, w := range h.all() {
		h.kill(w)
	}
	h.watches.Wait()
}

// stopAll stops all workers in order, when nothing is wrong any more: each must exit with 0.
func (h *herd) stopAll() {
	var stopping sync.WaitGroup
	for _, w := range h.all() {
		stopping.Go(func() {
			if err := h.stop(w); err != nil || w.Err() != nil {
				h.campaign.journal.find("%s does not stop in order: %v, %v\n%s", w.name, err, w.Err(), child.Tail(w.log))
			}
		})
	}
	stopping.Wait()
	h.watches.Wait()
}

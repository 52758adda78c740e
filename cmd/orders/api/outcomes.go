package api

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"allocation/store"
)

// outcomes waits for what becomes of commands: one query asks for all that somebody waits for, and
// none is made while nobody does.
type outcomes struct {
	read  func(context.Context, []string) ([]store.Request, error)
	wake  chan struct{} // has room for one
	ended <-chan struct{}

	mu      sync.Mutex
	waiting map[string][]chan store.Request // by id
	count   int
}

const (
	pollEvery = 10 * time.Millisecond
	pollAgain = 500 * time.Millisecond // after an error
)

// newOutcomes makes one for run, which somebody calls with the same context.
func newOutcomes(ctx context.Context, read func(context.Context, []string) ([]store.Request, error)) *outcomes {
	return &outcomes{read: read, ended: ctx.Done(), wake: make(chan struct{}, 1), waiting: map[string][]chan store.Request{}}
}

// await returns what became of a command, or nothing where that is not known in time, or too many
// wait.
func (o *outcomes) await(ctx context.Context, id string, most time.Duration) (r store.Request, known bool) {
	came := make(chan store.Request, 1)
	if !o.enter(id, came) {
		return r, false
	}
	defer o.leave(id, came)
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case r = <-came:
		return r, true
	case <-timer.C:
	case <-ctx.Done():
	case <-o.ended: // who waits is answered while the process stops
	}
	return r, false
}

func (o *outcomes) enter(id string, came chan store.Request) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.count == maxWaiting {
		return false
	}
	o.count++
	o.waiting[id] = append(o.waiting[id], came)
	select {
	case o.wake <- struct{}{}:
	default: // it is awake
	}
	return true
}

func (o *outcomes) leave(id string, came chan store.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count--
	left := slices.DeleteFunc(o.waiting[id], func(c chan store.Request) bool { return c == came })
	if len(left) == 0 {
		delete(o.waiting, id)
	} else {
		o.waiting[id] = left
	}
}

// run asks until the context ends.
func (o *outcomes) run(ctx context.Context) {
	for {
		ids := o.ids()
		if len(ids) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-o.wake:
				continue
			}
		}
		pause := pollEvery
		if err := o.look(ctx, ids); err != nil {
			pause = pollAgain // who waits is told that nothing is known
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

func (o *outcomes) ids() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Collect(maps.Keys(o.waiting))
}

func (o *outcomes) look(ctx context.Context, ids []string) error {
	found, err := o.read(ctx, ids)
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range found {
		for _, came := range o.waiting[found[i].ID] {
			select {
			case came <- found[i]:
			default: // it came before
			}
		}
	}
	return err
}

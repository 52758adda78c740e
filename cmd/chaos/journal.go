package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// journal remembers what happened: faults, stalls, and what must not be.
type journal struct {
	campaign *campaign

	mu        sync.Mutex
	strikes   []*strike
	stalls    map[string]time.Duration // the longest that a partition stood still, by the kinds of faults that were at work; "" for none
	over      []string                 // stalls that took longer than what was at work explains
	findings  []string
	failovers int
	lost      int64 // commands whose effect failovers lost
}

// strike is one fault.
type strike struct {
	kind         string
	began, ended time.Time // ended is zero while it goes on
}

func newJournal(c *campaign) *journal {
	return &journal{campaign: c, stalls: map[string]time.Duration{}}
}

func (j *journal) begin(kind string) *strike {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &strike{kind: kind, began: time.Now()}
	j.strikes = append(j.strikes, s)
	return s
}

func (j *journal) end(s *strike) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s.ended = time.Now()
}

// drop forgets a fault that could not be.
func (j *journal) drop(s *strike) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.strikes = slices.DeleteFunc(j.strikes, func(other *strike) bool { return other == s })
}

// find notes something that must not be.
func (j *journal) find(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	j.campaign.say("FOUND: %s", text)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.findings = append(j.findings, text)
}

func (j *journal) err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.findings) == 0 {
		return nil
	}
	return errors.New("found:\n" + strings.Join(j.findings, "\n"))
}

// Stalls that are worth a line.
const (
	notable        = 10 * time.Second
	notableNoFault = 2 * time.Second // where no fault was at work
)

// stall notes that a partition with work stood still, and which kinds of faults were at work then,
// or just before.
func (j *journal) stall(l topicPartition, from, to time.Time) {
	length := to.Sub(from)
	if length < time.Second {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	active, allowed := j.atWork(from, to)
	faults := strings.Join(active, ", ")
	j.stalls[faults] = max(j.stalls[faults], length)
	text := fmt.Sprintf("%v stood still for %.1f s, with %s", l, length.Seconds(), cmp.Or(faults, "no fault"))
	switch {
	case length > allowed:
		text += fmt.Sprintf("; that explains %.1f s", allowed.Seconds())
		j.over = append(j.over, text)
		fallthrough
	case length > notable, len(active) == 0 && length > notableNoFault:
		j.campaign.say("%s", text)
	}
}

// defaultStall is how long a partition may stand still without any fault, on a busy machine.
const defaultStall = 8 * time.Second

// atWork are the kinds of faults that were at work in a stall, or just before it, and how long all
// of them together explain: each its own time within the stall, and then the session's timeout and
// 5 s. Commands that fail unexpectedly explain as much: when they are tried is not known.
// The caller holds mu.
func (j *journal) atWork(from, to time.Time) (active []string, allowed time.Duration) {
	const before, recovery = 2 * time.Second, 5 * time.Second
	allowed = defaultStall
	for _, s := range j.strikes {
		ended := s.ended
		if ended.IsZero() || ended.After(to) {
			ended = to
		}
		if !s.began.Before(to) || !ended.After(from.Add(-before)) {
			continue
		}
		if len(active) == 0 {
			allowed = 0
		}
		began := s.began
		if began.Before(from) {
			began = from
		}
		allowed += max(0, ended.Sub(began)) + j.campaign.session + recovery
		if !slices.Contains(active, s.kind) {
			active = append(active, s.kind)
		}
	}
	if j.campaign.mix[partPoison] > 0 {
		allowed += j.campaign.session + recovery
	}
	slices.Sort(active)
	return active, allowed
}

// failover notes one, and how many commands it undid.
func (j *journal) failover(commands int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failovers++
	j.lost += commands
}

package main

import (
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
	stalls    map[string]*stallRow // by the kind of fault; "" for none
	findings  []string
	failovers int
	lost      int64 // commands whose effect failovers lost
}

// strike is one fault.
type strike struct {
	kind         string
	began, ended time.Time // ended is zero while it goes on
}

// stallRow is the longest that a partition stood still while a kind of fault was at work.
type stallRow struct {
	alone  time.Duration // no other kind of fault was
	shared time.Duration // others were too
	with   int           // how many kinds of others
}

func newJournal(c *campaign) *journal { return &journal{campaign: c, stalls: map[string]*stallRow{}} }

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

// notable is a stall that is worth a line.
const notable = 10 * time.Second

// stall notes that a partition with work stood still, and which kinds of faults were at work then, or just before.
func (j *journal) stall(l lane, from, to time.Time) {
	const before = 2 * time.Second
	length := to.Sub(from)
	if length < time.Second {
		return
	}
	j.mu.Lock()
	var active []string
	for _, s := range j.strikes {
		if s.began.Before(to) && (s.ended.IsZero() || s.ended.After(from.Add(-before))) && !slices.Contains(active, s.kind) {
			active = append(active, s.kind)
		}
	}
	slices.Sort(active)
	j.attribute(active, length)
	j.mu.Unlock()
	if length > notable {
		j.campaign.say("%v stood still for %s, with %s", l, length.Round(time.Millisecond), strings.Join(active, ", "))
	}
}

func (j *journal) attribute(active []string, length time.Duration) {
	if len(active) == 0 {
		active = []string{""}
	}
	for _, kind := range active {
		row := j.stalls[kind]
		if row == nil {
			row = &stallRow{}
			j.stalls[kind] = row
		}
		switch {
		case len(active) == 1:
			row.alone = max(row.alone, length)
		case length > row.shared:
			row.shared, row.with = length, len(active)-1
		}
	}
}

// failover notes one, and how many commands it undid.
func (j *journal) failover(commands int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failovers++
	j.lost += commands
}

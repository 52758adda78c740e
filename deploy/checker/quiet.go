package checker

import (
	"fmt"
	"sort"
)

// quiet is a command without effect: refused, or nothing to do. It must have a place where the
// model says the same.
type quiet struct {
	entry     int32
	attempt   bool // an operator's, some time after the command's own place
	reason    string
	command   *command
	low, high int    // the number of steps before it: at least, at most
	previous  *quiet // of the product, in the same partition
	first     int    // the earliest legal place; -1: none found
	last      int    // the latest
	says      []string
}

// bracket are the events between which a quiet command has its legal places: entries, or none.
type bracket struct{ after, before int32 }

// listen finds the quiet commands of the product, and where each may stand.
func (t *timeline) listen() {
	stepped, last := map[int32]bool{}, map[int32]*quiet{}
	for _, s := range t.steps {
		stepped[s.entry] = true
	}
	for _, i := range t.check.byProduct.of(t.number) {
		e, l := &t.check.entries[i], t.check.letterOf(i)
		switch {
		case e.held || l != nil && l.absent:
			t.check.checkSilent(i)
			continue
		case l == nil && stepped[i]:
			continue
		}
		q := &quiet{entry: i, first: -1, low: 0, high: len(t.steps), previous: last[e.partition]}
		if l != nil {
			q.reason = l.reason
		}
		if !stepped[i] || q.reason != "" {
			t.frame(q)
			last[e.partition] = q
			t.quiets = append(t.quiets, q)
		}
		if l != nil {
			t.listenAgain(q, l)
		}
	}
	sort.SliceStable(t.quiets, func(a, b int) bool { return t.quiets[a].low < t.quiets[b].low })
}

// listenAgain adds what came of a command when an operator had it applied again: an effect after
// its own place, a refusal, or nothing.
func (t *timeline) listenAgain(q *quiet, l *letter) {
	reasons, effects := l.further, 0
	for k, s := range t.steps {
		if s.entry == q.entry {
			effects++
			if l.reason != "" {
				q.high = min(q.high, k)
			}
		}
	}
	if l.done > effects && l.reason != "" {
		reasons = append(reasons[:len(reasons):len(reasons)], "")
	}
	for _, reason := range reasons {
		t.quiets = append(t.quiets, &quiet{entry: q.entry, attempt: true, reason: reason, low: q.low, high: len(t.steps), first: -1})
	}
}

// frame bounds the place of a command by those of its neighbours with effect in its partition.
func (t *timeline) frame(q *quiet) {
	h := &t.check.chronology
	if t.loose() || !h.known {
		t.frameAlone(q)
		return
	}
	before, after := h.around(q.entry)
	node := func(k int) int32 { return h.node[t.steps[k].entry] }
	if before != none {
		q.low = sort.Search(len(t.steps), func(k int) bool { return node(k) == none || !h.precedes(node(k), before) })
	}
	if after != none {
		q.high = sort.Search(len(t.steps), func(k int) bool { return node(k) != none && h.precedes(after, node(k)) })
	}
}

// frameAlone looks at the product's own commands only.
func (t *timeline) frameAlone(q *quiet) {
	steps := t.byPartition[t.check.entries[q.entry].partition]
	n := sort.Search(len(steps), func(n int) bool { return t.steps[steps[n]].entry > q.entry })
	if n > 0 {
		q.low = steps[n-1] + 1
	}
	if n < len(steps) {
		q.high = steps[n]
	}
}

// settle looks which commands without effect have a place after k steps.
func (t *timeline) settle(k int) {
	for len(t.quiets) > 0 && t.quiets[0].low <= k {
		q := t.quiets[0]
		t.quiets = t.quiets[1:]
		q.command = t.check.decoded(&t.check.entries[q.entry])
		t.active = append(t.active, q)
	}
	kept := t.active[:0]
	for _, q := range t.active {
		t.try(q, k)
		if q.high > k && !t.stopped {
			kept = append(kept, q)
			continue
		}
		t.place(q)
	}
	t.active = kept
}

func (t *timeline) try(q *quiet, k int) {
	if q.previous != nil && q.previous.first < 0 { // the one before it in the partition comes first
		return
	}
	effect, reason := t.product.verdict(q.command)
	if !effect && reason == q.reason {
		if q.first < 0 {
			q.first = k
		}
		q.last = k
		return
	}
	says := "no effect"
	if effect {
		says = "an effect"
	} else if reason != "" {
		says = "refused as " + reason
	}
	if len(q.says) == 0 || q.says[len(q.says)-1] != says {
		q.says = append(q.says, says)
	}
}

// place notes between which steps a command stands, or reports that it has no place.
func (t *timeline) place(q *quiet) {
	switch {
	case t.stopped:
	case q.first < 0 && (q.previous == nil || q.previous.first >= 0):
		t.misplaced(q)
	case q.first >= 0 && !q.attempt:
		b := &t.check.quiet[q.entry]
		b.after, b.before = none, none
		if q.first > 0 {
			b.after = t.steps[q.first-1].entry
		}
		if q.last < len(t.steps) {
			b.before = t.steps[q.last].entry
		}
	}
	q.command = nil
}

func (t *timeline) misplaced(q *quiet) {
	seen := "had no effect"
	if q.reason != "" {
		seen = "was refused as " + q.reason
	}
	what := "the"
	if q.attempt {
		what = "the retried"
	}
	says := q.says[:min(4, len(q.says))]
	c := t.check
	c.report(RuleEffect, t.product.sku, func() []string { return append(c.nearby(q.entry), c.passage(t.steps, q.low)...) },
		"%s %s at %s %s, but has no legal place: between its neighbours, which is %s, it must be: %q", what, q.command.kind, c.placeOf(q.entry), seen, t.between(q), says)
}

// between says where in its product a command must stand.
func (t *timeline) between(q *quiet) string {
	text := fmt.Sprintf("after sequence %d", t.sequenceAfter(q.low))
	if q.high < len(t.steps) {
		text += fmt.Sprintf(" and not after %d", t.sequenceAfter(q.high))
	}
	return text
}

func (t *timeline) sequenceAfter(k int) int64 {
	if k == 0 {
		return 0
	}
	events := t.steps[k-1].events
	return t.check.events[events[len(events)-1]].sequence
}

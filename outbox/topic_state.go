package outbox

import (
	"sync/atomic"
	"time"
)

// topicState is how publishing to a topic goes.
//
// Records are counted in two waves: those produced since the last turn, and those of before. A turn
// is made only when all of before have returned, so while some of before are out, they have been
// out since the last turn at least.
type topicState struct {
	topic    string
	optional bool                      // what it has is elsewhere too: see refusal.go
	closed   atomic.Pointer[shutTopic] // nil: it takes records

	skips, skipsLogged atomic.Int64 // records left out for what they are, and when that was logged

	waves   [2]atomic.Int64 // records whose promises have not returned
	current atomic.Uint32   // the wave of new records
	acks    atomic.Int64
	ackedAt lastTime // when the watcher last found that records were acknowledged

	silence     trouble      // why acknowledgements do not come, as the watcher found
	silenceAcks atomic.Int64 // how many had come by then
	others      atomic.Bool  // they do not come for some records, and do for others

	// Of the watcher.
	turned     time.Time   // when the current wave began
	turnedAcks int64       // at that time
	seenAcks   int64       // at the last look
	told       bool        // the log says that the topic takes no records
	known      atomic.Bool // whether id is known
	id         [16]byte    // of the topic, as last seen
}

// lastTime is a time that one sets and many read.
type lastTime struct{ ns atomic.Int64 }

func (t *lastTime) set(at time.Time) { t.ns.Store(at.UnixNano()) }

func (t *lastTime) within(d time.Duration, now time.Time) bool {
	return now.UnixNano()-t.ns.Load() < int64(d)
}

// produced counts a record, and gives the wave that it is to be returned to.
func (t *topicState) produced() uint32 {
	wave := t.current.Load()
	t.waves[wave].Add(1)
	return wave
}

func (t *topicState) returned(wave uint32) { t.waves[wave].Add(-1) }

func (t *topicState) acknowledged(wave uint32) {
	t.returned(wave)
	t.acks.Add(1)
}

func (t *topicState) out() int64 { return t.waves[0].Load() + t.waves[1].Load() }

// turn begins a new wave if all of the one before have returned, and gives how many of the one
// before are out, and since when at least.
func (t *topicState) turn(now time.Time) (out int64, since time.Time) {
	current := t.current.Load()
	if t.waves[1-current].Load() <= 0 {
		t.current.Store(1 - current)
		t.turned, t.turnedAcks = now, t.acks.Load()
		current = 1 - current
	}
	return t.waves[1-current].Load(), t.turned
}

// whySilent is why acknowledgements do not come now, and whether others do.
func (t *topicState) whySilent() (others bool, err error) {
	err, others = t.silence.get(), t.others.Load()
	if err != nil && !others && t.acks.Load() != t.silenceAcks.Load() {
		return false, nil // one came since
	}
	return others, err
}

// moving reports whether records were acknowledged lately, and after others that are not.
func (t *topicState) moving(patience time.Duration, now time.Time) bool {
	return t.acks.Load() > t.turnedAcks && t.ackedAt.within(patience, now)
}

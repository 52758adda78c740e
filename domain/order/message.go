package order

import "time"

// Message is a command or a fact.
type Message interface{ decide(*decider) }

// Decide decides a message by the time of its record, zero where that has none. Where it is about a
// customer, state has one, with nothing in it if need be.
func Decide(m Message, state *State, at time.Time, settings Settings) Decision {
	x := &decider{State: state, Settings: settings, at: at}
	m.decide(x)
	x.reviewEarly(m)
	return x.d
}

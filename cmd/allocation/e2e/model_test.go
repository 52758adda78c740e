package e2e

import (
	"fmt"
	"testing"
	"time"
)

// Random commands through two workers, checked against the plain model of the checker: the same
// events in the order that their sequences tell, first appearances in sequence, repeats byte for
// byte equal, the tables as the events add up. MODEL_COMMANDS is how many.
func TestWorker_doesWhatTheModelDoes(t *testing.T) {
	for name, anyKey := range map[string]bool{"commands of a product by one partition": false, "any key, two topics": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t, modelPartitions)
			l := a.keyedLoad(t, modelPartitions, modelProducts)
			l.keyed = !anyKey
			last := a.runModel(l, number(t, "MODEL_COMMANDS", "4000"))
			a.check(time.Minute)
			last.stop()
			a.check(0)
		})
	}
}

const (
	modelPartitions = 4
	modelProducts   = 6
)

// runModel sends random commands while workers come and go, two of them most of the time, and
// returns the last.
func (a *arena) runModel(l *load, commands int) *process {
	a.t.Helper()
	const rounds = 4
	first := a.start("worker-0", "")
	first.awaitClaim()
	for i := range rounds {
		second := a.start(fmt.Sprint("worker-", 1+i), "")
		l.send(commands / rounds)
		second.awaitClaim()
		first.stop()
		first = second
	}
	return first
}

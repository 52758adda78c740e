package worker

import (
	"fmt"
	"slices"
	"time"
)

// A command of a newer type is one whose type has a later version than this worker knows. A newer
// worker may come and know it, so the command may wait: it is parked under its key, which is held
// meanwhile. See Command.Wait.

// mayWait is how long a command may wait for a newer worker. One that waited behind a held key
// waits on from there. A dead letter waits no longer, since its time is over or an operator
// decided.
func (c *Command) mayWait(patience time.Duration) time.Duration {
	switch {
	case c.Newer == "", c.Failure != "":
		return 0
	case c.Parked == nil:
		return patience
	case c.Parked.Letter.Source != 0:
		return 0
	}
	return max(0, patience-c.Parked.Waited)
}

// sayNewer logs that a command was parked since its type is not known here.
func (w *Worker) sayNewer(work *work) {
	for i, o := range work.applied.Outcomes {
		if c := &work.transaction.Commands[i]; c.Wait > 0 && o.Result == Held {
			w.throttled.warn("a command waits for a newer worker", fmt.Errorf("type %q is not known here", c.Newer), work.about(i).LogAttrs()...)
			return
		}
	}
}

// cutBehindNewer ends a transaction of commands that waited behind a held key before the first that
// is to hold it again, or behind it: the others wait on.
func (w *work) cutBehindNewer() {
	i := slices.IndexFunc(w.transaction.Commands, func(c Command) bool { return c.Wait > 0 && c.Parked != nil && c.Parked.Seq != 0 })
	if i < 0 {
		return
	}
	n := max(1, i)
	w.transaction, w.records = w.transaction.Cut(n), w.records[:n]
}

package explain

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// Stamp is a step on the way of a command.
type Stamp struct {
	Name    string     `json:"stamp"`
	Reached bool       `json:"reached"`
	At      *time.Time `json:"at,omitempty"`
	Says    string     `json:"says"` // of one that is not reached: why
}

// stampsOf are the six steps on the way of a command.
func stampsOf(w *store.Way, k *inKafka, words Words) []Stamp {
	return []Stamp{produced(w, k), read(w, k), decided(w, words), committed(w), published(w), reported(w, k)}
}

func produced(w *store.Way, k *inKafka) Stamp {
	s := Stamp{Name: "produced", Reached: true, At: cmp.Or(k.time(), timeOf(w))}
	switch {
	case k.problem != "":
		s.Says = "Kafka was not asked: " + k.problem
	case k.record != nil:
		s.Says = fmt.Sprintf("with the key %s, %s", keyOf(k), cli.CountOf(int64(len(k.record.Value)), "byte"))
	case k.unstable(w.ID):
		s.Says = "nobody can read it before a producer's transaction has ended"
	case k.unread != "":
		s.Says = "the record was not read: " + k.unread
	case w.ID.Offset >= k.bounds.End:
		s.Reached = false
		s.Says = fmt.Sprintf("not yet: the partition ends at offset %d", k.bounds.End)
	case w.ID.Offset < k.bounds.Start:
		s.Says = fmt.Sprintf("the record is no longer in Kafka: the partition begins at offset %d", k.bounds.Start)
	default:
		s.Reached = false
		s.Says = "the log has no command at this offset: it is where a transaction ends, or was compacted away"
	}
	return s
}

func keyOf(k *inKafka) string {
	if k.record.Key == nil {
		return "(none)"
	}
	return cli.Printable(string(k.record.Key))
}

// timeOf is the time of the command's record, as what is kept of it says.
func timeOf(w *store.Way) *time.Time {
	for i := range w.Applied {
		for _, e := range w.Applied[i].Events {
			return e.Cause.Time
		}
	}
	for i := range w.Letters {
		if ms := w.Letters[i].CommandTime; ms != nil {
			at := time.UnixMilli(*ms).UTC()
			return &at
		}
	}
	return nil
}

func read(w *store.Way, k *inKafka) Stamp {
	s := Stamp{Name: "read", Reached: w.ID.Offset < w.Partition.NextOffset}
	if s.Reached {
		s.Says = fmt.Sprintf("the position is %d", w.Partition.NextOffset)
		return s
	}
	why := keeps(w, k)
	switch before := w.ID.Offset - w.Partition.NextOffset; {
	case why != "":
	case before == 0:
		why = "it is the next one" + behind(w, k) + lastMoved(w)
	default:
		why = recordsBefore(before) + lastMoved(w)
	}
	s.Says = "not yet, because " + why
	return s
}

// keeps says what keeps a worker from reading on in the partition; empty: nothing does.
func keeps(w *store.Way, k *inKafka) string {
	switch {
	case k.unusable != "":
		return "the partition is in quarantine: " + k.unusable + " (" + k.program + " offsets list)"
	case k.unstable(w.ID):
		return fmt.Sprintf("a producer's transaction is open since offset %d, and %s for its end (%s offsets list)",
			k.stable, waitFor(k.bounds.End-k.stable), k.program)
	case w.Partition.Trouble != "":
		return w.Partition.Trouble
	case w.Partition.Owner == "":
		return "no worker has claimed the partition"
	}
	return ""
}

// isEnd reports whether the position is where the next command of an idle partition will be. Where
// the topic was made again, there may have been one before.
func (k *inKafka) isEnd(w *store.Way) bool {
	before := len(w.Applied)+len(w.Letters) > 0
	return k.problem == "" && w.ID.Offset == w.Partition.NextOffset && w.ID.Offset == k.bounds.End && !before
}

// idle says that a partition waits for its next command.
func idle(w *store.Way, k *inKafka) string {
	text := fmt.Sprintf("there is no command %s yet: ", w.ID)
	if k.bounds.End == 0 {
		text += "the partition has had none"
	} else {
		text += fmt.Sprintf("the partition ends at offset %d, and all before that was read", k.bounds.End)
	}
	if why := keeps(w, k); why != "" {
		return text + "; but " + why
	}
	return text + lastMoved(w)
}

func waitFor(n int64) string {
	if n == 1 {
		return "1 record waits"
	}
	return cli.Count(n) + " records wait"
}

// behind says how many records come after a command.
func behind(w *store.Way, k *inKafka) string {
	n := k.bounds.End - w.ID.Offset - 1
	if n <= 0 || k.next == nil {
		return ""
	}
	text := ", with " + cli.CountOf(n, "record") + " behind it"
	if k.next.records > 1 {
		text += fmt.Sprintf("; the next %s have the keys %s", cli.Count(k.next.records), k.next.keys())
	}
	return text
}

// mostKeys is how many keys are named.
const mostKeys = 3

// keys names the keys that have the most records.
func (a *ahead) keys() string {
	all := slices.SortedFunc(maps.Keys(a.byKey), func(x, y string) int {
		return cmp.Or(cmp.Compare(a.byKey[y], a.byKey[x]), cmp.Compare(x, y))
	})
	var each []string
	for i, key := range all {
		if i == mostKeys {
			each = append(each, "and "+cli.CountOf(int64(len(all)-i), "other key"))
			break
		}
		each = append(each, fmt.Sprintf("%s (%s)", cmp.Or(cli.Printable(key), "(none)"), cli.Count(a.byKey[key])))
	}
	return strings.Join(each, ", ")
}

func recordsBefore(n int64) string {
	if n == 1 {
		return "1 record comes before it"
	}
	return cli.Count(n) + " records come before it"
}

func lastMoved(w *store.Way) string {
	if w.Partition.MovedAt == nil {
		return ""
	}
	return fmt.Sprintf("; the position moved last at %s, under %s", cli.When(*w.Partition.MovedAt), w.Partition.Owner)
}

// decided is what was done with the command, the last time.
func decided(w *store.Way, words Words) Stamp {
	letter, events := open(w), eventsOf(w)
	switch {
	case w.Waits != nil:
		h := &w.Waits.Held
		return Stamp{"held", false, &w.Waits.Since, fmt.Sprintf("not yet, because %s is held by the dead letter %s (%s), and %s before it",
			cli.Printable(w.Waits.Key), h.Letter, cli.HeldText(h), waitBefore(w.Waits.First))}
	case letter != nil && letter.WaitsUntil != nil:
		return Stamp{"held", false, &letter.RecordedAt, fmt.Sprintf("not yet, because its worker does not know its type: it %s, and holds %s",
			cli.WaitsText(*letter.WaitsUntil), cli.Printable(letter.Holds))}
	case letter != nil:
		says := letter.Reason + ": " + letter.Message
		if letter.State != store.LetterOpen {
			says += " (" + letter.State + ")"
		}
		return Stamp{"refused", true, &letter.RecordedAt, says}
	case events > 0:
		return Stamp{"applied", true, nil, cli.CountOf(events, "event")}
	case len(w.Applied) > 0:
		return Stamp{"applied", true, nil, withoutEvent(words) + waitedText(w)}
	case w.ID.Offset < w.Partition.NextOffset:
		return Stamp{"applied", true, nil, "what it did is no longer kept" + keptSince(w)}
	}
	return Stamp{"applied", false, nil, "not yet, because it was not read"}
}

func withoutEvent(words Words) string {
	if words.Quiet != "" {
		return "without event: " + words.Quiet + ", and it was not refused"
	}
	return "without effect: it changed nothing, and was not refused"
}

func waitBefore(n int64) string {
	if n == 1 {
		return "1 command waits"
	}
	return cli.Count(n) + " commands wait"
}

func waitedText(w *store.Way) string {
	var all []string
	for _, x := range w.Waited {
		all = append(all, fmt.Sprintf("; it waited behind %s from %s until %s", cli.Printable(x.Key), cli.When(x.Since), cli.When(x.Until)))
	}
	return strings.Join(all, "")
}

func keptSince(w *store.Way) string {
	if w.Since == nil {
		return ""
	}
	return fmt.Sprintf(": transactions of this partition are kept since %s (--outbox-retention)", cli.When(*w.Since))
}

// open is the command's last dead letter, where the command did not take effect since.
func open(w *store.Way) *store.Letter {
	for i := len(w.Letters) - 1; i >= 0; i-- {
		if l := &w.Letters[i]; l.State != store.LetterRetried && l.Batch == nil {
			return l
		}
	}
	return nil
}

func eventsOf(w *store.Way) (n int64) {
	for i := range w.Applied {
		n += int64(len(w.Applied[i].Events))
	}
	return n
}

func committed(w *store.Way) Stamp {
	s := Stamp{Name: "committed"}
	switch n := len(w.Applied); {
	case n > 0:
		last := &w.Applied[n-1]
		s.Reached, s.At = true, &last.Committed
		s.Says = fmt.Sprintf("by %s, claim %d", last.Worker, last.Epoch)
		if n > 1 {
			s.Says += fmt.Sprintf("; the first of %d times at %s", n, cli.When(w.Applied[0].Committed))
		}
	case w.ID.Offset < w.Partition.NextOffset:
		s.Reached, s.Says = true, "when is no longer kept"
	default:
		s.Says = "not yet, because it was not applied"
	}
	return s
}

func published(w *store.Way) Stamp {
	s := Stamp{Name: "published"}
	var rows, unsent int64
	for i := range w.Applied {
		rows, unsent = rows+w.Applied[i].Rows, unsent+w.Applied[i].Unsent
	}
	switch {
	case len(w.Applied) == 0 && w.ID.Offset >= w.Partition.NextOffset:
		s.Says = "not yet, because it was not applied"
	case len(w.Applied) == 0:
		s.Reached, s.Says = true, "what was published is no longer kept"
	case unsent > 0:
		s.Says = fmt.Sprintf("not yet, because Kafka has not acknowledged %d of %d", unsent, rows)
	case rows == 0:
		s.Reached, s.Says = true, "there is nothing to publish"
	default:
		s.Reached, s.Says = true, "Kafka acknowledged "+cli.CountOf(rows, "record")
	}
	return s
}

func reported(w *store.Way, k *inKafka) Stamp {
	s := Stamp{Name: "reported"}
	switch {
	case k.problem != "":
		s.Says = "Kafka was not asked"
	case k.reported < 0:
		s.Says = "not yet, because the group has no offset of the partition"
	case k.reported > w.ID.Offset:
		s.Reached, s.Says = true, fmt.Sprintf("the group's offset is %d", k.reported)
	default:
		s.Says = fmt.Sprintf("not yet, because the group's offset is %d: it follows what is published", k.reported)
	}
	return s
}

package worker

import "allocation/outbox/telemetry"

// about tells of a command of the transaction in spans and log lines.
func (w *work) about(i int) telemetry.Record {
	r := &w.records[i]
	from := &w.transaction.Moves[r.move].Source
	if r.parked != nil {
		from = &r.parked.From
	}
	about := telemetry.Record{Topic: from.Topic, Partition: from.Partition, Offset: r.Offset, Key: r.Key}
	if i < len(w.transaction.Commands) && w.transaction.Commands[i].Cause != nil { // else it is not decoded yet
		about.Trace = w.transaction.Commands[i].Cause.Trace()
	}
	return about
}

// aboutFirst tells of the first command, or of where a transaction without any begins.
func (w *work) aboutFirst() telemetry.Record {
	if len(w.records) > 0 {
		return w.about(0)
	}
	return w.aboutNext(0, w.transaction.Moves[0].From)
}

// aboutNext tells of the command of a partition at an offset, or only of its place where the
// transaction has none there.
func (w *work) aboutNext(move int, offset int64) telemetry.Record {
	for i := range w.records {
		if r := &w.records[i]; r.move == move && r.Offset == offset && r.parked == nil {
			return w.about(i)
		}
	}
	from := &w.transaction.Moves[move].Source
	return telemetry.Record{Topic: from.Topic, Partition: from.Partition, Offset: offset}
}

// topic is the topic that all commands came by; empty where they came by several.
func (w *work) topic() string {
	topic := w.transaction.Moves[0].Source.Topic
	for i := range w.transaction.Moves {
		if w.transaction.Moves[i].Source.Topic != topic {
			return ""
		}
	}
	return topic
}

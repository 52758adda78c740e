package worker

import (
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

// Command reads the record's envelope. Where only the topic could tell the type, it stays unknown;
// the data is read all the same.
func (r *ParkedRecord) Command(typePrefix string) Command {
	record := &kgo.Record{Offset: r.Offset, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, kgo.RecordHeader(h))
	}
	return decode(record, &Topic{Prefix: typePrefix}, &outbox.Cause{})
}

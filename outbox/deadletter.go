package outbox

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"
)

// deadLetter renders a dead letter: the command as it came, and our headers after its own. A
// command that carries dlq- headers already (someone copied a dead letter back as it was) keeps
// them, byte for byte: of a repeated header the last counts, so ours are the ones that are read,
// and sending it again drops them all.
func (r *renderer) deadLetter(row *Row) kgo.Record {
	d, cause := row.DeadLetter, row.cause()
	if d.Decision != "" {
		return r.decision(row)
	}
	headers := append(make([]kgo.RecordHeader, 0, len(d.Headers)+maxReasons), d.Headers...)
	add := func(key, value string) { headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)}) }
	add("dlq-reason", d.Reason)
	add("dlq-message", d.Message)
	headers = append(headers, r.original(row)...)
	if cause.Time != NoTime {
		add("dlq-original-timestamp", strconv.FormatInt(cause.Time, 10))
	}
	add("dlq-consumer-group", r.envelope.Group)
	if b := d.Batch; b != nil {
		add("dlq-batch-last-offset", strconv.FormatInt(b.Last, 10))
		add("dlq-batch-records", strconv.Itoa(int(b.Records)))
		add("dlq-batch-bytes", strconv.Itoa(int(b.Bytes)))
		add("dlq-batch-codec", b.Codec)
	}
	return kgo.Record{Topic: r.envelope.DeadLetterTopic, Key: d.Key, Value: d.Value, Headers: headers}
}

// decision renders what an operator decided of a dead letter, so that a reader of the topic knows
// what became of it, even where the database does not any more. It has the key of the letter, and
// no value.
func (r *renderer) decision(row *Row) kgo.Record {
	headers := append([]kgo.RecordHeader{{Key: "dlq-decision", Value: []byte(row.DeadLetter.Decision)}}, r.original(row)...)
	headers = append(headers, kgo.RecordHeader{Key: "dlq-consumer-group", Value: []byte(r.envelope.Group)})
	return kgo.Record{Topic: r.envelope.DeadLetterTopic, Key: row.DeadLetter.Key, Headers: headers}
}

// original says where a command came from.
func (r *renderer) original(row *Row) []kgo.RecordHeader {
	from := row.from(&r.source)
	return []kgo.RecordHeader{
		{Key: "dlq-original-topic", Value: []byte(from.Topic)},
		{Key: "dlq-original-partition", Value: []byte(strconv.Itoa(int(from.Partition)))},
		{Key: "dlq-original-offset", Value: []byte(strconv.FormatInt(row.Offset, 10))},
	}
}

// maxReasons is how many headers a dead letter has besides its own, at most.
const maxReasons = 14

// form is how much of a dead letter is published. The table keeps all of it.
type form uint8

const (
	whole        form = iota
	withoutValue      // with dlq-value-bytes
	reasonsOnly       // without its key and its own headers too, with dlq-key-bytes and dlq-headers-bytes: they alone were too large
)

// in is the dead letter in a smaller form. own is how many of its headers came with the command.
func (f form) in(whole *kgo.Record, own int) *kgo.Record {
	r := &kgo.Record{Topic: whole.Topic, Key: whole.Key, Value: whole.Value, Headers: slices.Clone(whole.Headers)}
	if f >= withoutValue {
		r.Value = nil
		r.Headers = append(r.Headers, byteCount("dlq-value-bytes", len(whole.Value)))
	}
	if f >= reasonsOnly {
		n := 0
		for _, h := range r.Headers[:own] {
			n += len(h.Key) + len(h.Value)
		}
		r.Key, r.Headers = nil, append(r.Headers[own:], byteCount("dlq-key-bytes", len(whole.Key)), byteCount("dlq-headers-bytes", n))
	}
	return r
}

// makeUpKey gives a dead letter a key for a topic that takes none without: the name of the command.
func makeUpKey(r *kgo.Record, command string) {
	r.Key = []byte(command)
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: "dlq-key-made-up", Value: []byte("true")})
}

func byteCount(key string, n int) kgo.RecordHeader {
	return kgo.RecordHeader{Key: key, Value: []byte(strconv.Itoa(n))}
}

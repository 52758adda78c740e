package telemetry

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// Record is a record of Kafka: a command, or what is published of one.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       []byte // nil: it has none, or nobody knows it
	Trace     Trace
}

// LogAttrs are what a log line about a command says of it.
func (r Record) LogAttrs() []any {
	attrs := []any{"topic", r.Topic, "partition", r.Partition, "offset", r.Offset}
	if key := keyText(r.Key); key != "" {
		attrs = append(attrs, "key", key)
	}
	if id := r.Trace.ID(); id != "" {
		attrs = append(attrs, "trace_id", id)
	}
	return attrs
}

// Operation are the attributes of a span of something that is done with the record.
func (r Record) Operation(name string) []attribute.KeyValue {
	attrs := []attribute.KeyValue{semconv.MessagingSystemKafka, semconv.MessagingOperationName(name), semconv.MessagingDestinationName(r.Topic)}
	if key := keyText(r.Key); key != "" {
		attrs = append(attrs, semconv.MessagingKafkaMessageKey(key))
	}
	return attrs
}

// Position are the attributes of where the record is.
func (r Record) Position() []attribute.KeyValue {
	return []attribute.KeyValue{semconv.MessagingDestinationPartitionID(strconv.Itoa(int(r.Partition))), semconv.MessagingKafkaOffset(int(r.Offset))}
}

// keyText is a key as text; empty where it is none.
func keyText(key []byte) string {
	const most = 255 // bytes, as identifiers have
	if !utf8.Valid(key) {
		return ""
	}
	return strings.ToValidUTF8(string(key[:min(most, len(key))]), "")
}

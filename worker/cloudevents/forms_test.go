package cloudevents

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	structuredJSON = "application/cloudevents+json"
	makes          = testPrefix + "Make"
	someData       = `{"key":"a","n":1}`
)

// structured is a command in structured mode, of which some members were replaced or, by an
// empty text, taken out; more are added.
func structured(changes ...string) string {
	members := []string{"specversion", `"1.0"`, "type", `"` + makes + `"`, "id", `"x"`, "source", `"/s"`, "data", someData}
	for i := 0; i < len(changes); i += 2 {
		at := 0
		for at < len(members) && members[at] != changes[i] {
			at += 2
		}
		members = append(members[:at:at], append([]string{changes[i], changes[i+1]}, members[min(at+2, len(members)):]...)...)
	}
	var out []string
	for i := 0; i < len(members); i += 2 {
		if members[i+1] != "" {
			out = append(out, `"`+members[i]+`":`+members[i+1])
		}
	}
	return "{" + strings.Join(out, ",") + "}"
}

// requireTaken wants a record to be the command Make with its data.
func requireTaken(t *testing.T, r *kgo.Record) {
	t.Helper()
	m, _ := read(r, "")
	require.Empty(t, m.Problem, "%q %.100q", r.Headers, r.Value)
	require.Equal(t, "Make", m.Type)
	require.JSONEq(t, someData, string(m.Data))
}

// requireRefused wants a record to be refused, in words that name something.
func requireRefused(t *testing.T, r *kgo.Record, reason, says string) {
	t.Helper()
	m, _ := read(r, "")
	require.Equal(t, reason, m.Reason, "%.200q %.100q", r.Headers, r.Value)
	require.Contains(t, m.Problem, says)
	require.LessOrEqual(t, len(m.Problem), 1000)
}

func TestRead_structuredMode(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{
		structuredJSON, "Application/CloudEvents+JSON", structuredJSON + "; charset=utf-8", structuredJSON + ";charset=UTF-8;x=y", structuredJSON + " ; charset=utf-8",
	} {
		requireTaken(t, envelope(structured(), "content-type", contentType))
	}
	requireTaken(t, envelope(structured(), "content-type", structuredJSON, "ce_type", "nonsense"))
	requireTaken(t, envelope(structured(), "content-type", "text/plain", "content-type", structuredJSON))
	requireTaken(t, envelope(" \n\t"+structured()+"\r\n", "content-type", structuredJSON))
	for _, contentType := range []string{
		"application/cloudevents", "application/cloudevents+avro", "application/cloudevents+protobuf", "application/cloudevents+xml", "application/cloudevents;format=json",
		"application/cloudevents-batch+json", "APPLICATION/CLOUDEVENTS-BATCH+JSON", "application/cloudevents+jsonx", "application/cloudevents+", "application/cloudeventsxyz",
		"application/cloudevents+\xff", "application/cloudevents\x00+json", "application/cloudevents+" + strings.Repeat("x", 3000),
	} {
		requireRefused(t, envelope(structured(), "content-type", contentType, "ce_type", makes), Malformed, "content-type")
	}
	for value, says := range map[string]string{
		"": "CloudEvent", "null": "CloudEvent", "{": "CloudEvent", "[]": "CloudEvent", `"x"`: "CloudEvent", "7": "CloudEvent", "not JSON": "CloudEvent", "\xff": "UTF-8",
		"[" + structured() + "]": "CloudEvent", structured() + "x": "CloudEvent", "\ufeff" + structured(): "CloudEvent", structured("x\xff", "1"): "CloudEvent",
		strings.Replace(structured(), "{", `{"id2":1,"id2":1,`, 1): "id2", strings.Replace(structured(), "{", `{"n":null,"n":1,`, 1): `"n"`,
		someData: "specversion", "{}": "specversion",
	} {
		requireRefused(t, envelope(value, "content-type", structuredJSON), Malformed, says)
	}
}

func TestRead_attributesOfStructuredMode(t *testing.T) {
	t.Parallel()
	taken := func(name, value string) {
		requireTaken(t, envelope(structured(name, value), "content-type", structuredJSON))
	}
	refused := func(reason, says, name, value string) {
		requireRefused(t, envelope(structured(name, value), "content-type", structuredJSON), reason, says)
	}
	for _, value := range []string{"", `null`, `"0.3"`, `"1"`, `"1.0.0"`, `" 1.0"`, `""`, `1.0`, `1`, `true`, `{}`, `["1.0"]`} {
		refused(Malformed, "specversion", "specversion", value)
	}
	for _, value := range []string{ // the last ones count as absent, as in headers
		"", `null`, `""`, `7`, `true`, `{}`, `["` + makes + `"]`,
		`"counters.v1.\u0000"`, `"\u0000"`, `"` + makes + `\n"`, `"counters.v1.\u007f\u0085"`, "\"" + makes + "\x7f\"",
		`"counters.v1.` + strings.Repeat("x", 244) + `"`, `"` + makes + strings.Repeat(" ", 3000) + `"`, `"` + strings.Repeat("é", 128) + `"`,
	} {
		refused(Malformed, "type", "type", value)
	}
	for _, value := range []string{`"Make"`, `"counters.v2.Make"`, `"Counters.v1.Make"`, `" ` + makes + `"`, `"` + strings.Repeat("é", 127) + `"`} {
		refused(UnknownType, "type", "type", value)
	}
	for _, name := range []string{"correlationid", "traceparent", "tracestate", "time", "subject", "datacontenttype", "dataschema", "other", "partitionkey"} {
		for _, value := range []string{`null`, `""`, `"x"`, `7`, `true`, `"\u0000"`, `"` + strings.Repeat("é", 200) + `"`} {
			taken(name, value)
		}
	}
	for _, value := range []string{"", `null`, `""`, `"\u0000"`, `"a\u0085"`, `"` + strings.Repeat("x", 256) + `"`} {
		taken("id", value)
	}
}

func TestRead_dataOfStructuredMode(t *testing.T) {
	t.Parallel()
	encoded := func(data string) string { return `"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"` }
	for _, data := range []string{someData, " " + someData + "\n"} {
		requireTaken(t, envelope(structured("data", "", "data_base64", encoded(data)), "content-type", structuredJSON))
	}
	for _, value := range []string{"", `null`, `"x"`, `""`, `7`, `true`, `[]`, `[{}]`} {
		requireRefused(t, envelope(structured("data", value), "content-type", structuredJSON), Malformed, "data")
	}
	for _, value := range []string{`7`, `true`, `{}`, `["x"]`, `"x"`, `"!!!!"`, `"e30"`, `"e30=="`, `"e30=x"`, `"é"`} {
		requireRefused(t, envelope(structured("data", "", "data_base64", value), "content-type", structuredJSON), Malformed, "data_base64")
	}
	requireRefused(t, envelope(structured("data_base64", encoded(someData)), "content-type", structuredJSON), Malformed, "data_base64")
}

func TestRead_binaryMode(t *testing.T) {
	t.Parallel()
	taken := func(headers ...string) { requireTaken(t, envelope(someData, headers...)) }
	taken("ce_type", makes, "ce_specversion", "1.0", "content-type", "application/json")
	taken("content-type", structuredJSON, "content-type", "application/json", "ce_type", makes)
	for _, contentType := range []string{"", "text/plain", "nonsense", "\xff", "\x01", " " + structuredJSON, "application/cloudevent", "application/avro"} {
		taken("ce_type", makes, "content-type", contentType)
	}
	for _, name := range []string{"ce_id", "ce_correlationid", "ce_source", "ce_time", "ce_subject", "traceparent", "tracestate"} {
		for _, value := range []string{"", "x", "a\x00b", "\n", "\xc2\x85", "\xff", strings.Repeat("x", 255), strings.Repeat("x", 256)} {
			taken("ce_type", makes, name, value)
		}
	}
	refused := func(reason, says string, headers ...string) {
		requireRefused(t, envelope(someData, headers...), reason, says)
	}
	refused(Malformed, "ce_specversion", "ce_type", makes, "ce_specversion", "0.3")
	refused(Malformed, "type", "CE_TYPE", makes)
	refused(Malformed, "type", "ce-type", makes)
	refused(Malformed, "type", "content-type", "application/json", "ce_specversion", "1.0", "ce_id", "x")
	for _, absent := range []string{
		"", "\x01", makes + "\n", makes + "\x7f", makes + "\u0085", makes + "\xff", "\xc0\x80", makes + strings.Repeat(" ", 256-len(makes)),
	} {
		refused(Malformed, "type", "ce_type", absent)
		refused(Malformed, "type", "ce_type", makes, "ce_type", absent)
	}
	for _, unknown := range []string{"Make", "x", " " + makes, "counters.v2.Make", "COUNTERS.V1.MAKE", strings.Repeat("é", 127)} {
		refused(UnknownType, "ce_type", "ce_type", unknown)
		refused(UnknownType, "ce_type", "ce_type", makes, "ce_type", unknown)
	}
}

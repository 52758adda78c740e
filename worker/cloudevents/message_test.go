package cloudevents

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"allocation/outbox"
)

const aTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// envelope makes a record of headers, key and value by turns.
func envelope(value string, headers ...string) *kgo.Record {
	r := &kgo.Record{Value: []byte(value), Timestamp: time.UnixMilli(1)}
	for i := 0; i < len(headers); i += 2 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])})
	}
	return r
}

const testPrefix = "counters.v1."

func read(r *kgo.Record, mapped string) (Message, outbox.Cause) {
	var cause outbox.Cause
	m := Read(r, &Types{Prefix: testPrefix, Type: mapped}, &cause)
	return m, cause
}

// The modes by themselves are in forms_test.go.
func TestRead_findsTheType(t *testing.T) {
	t.Parallel()
	const event = `{"specversion":"1.0","type":"counters.v1.Add","data":{"a":1}}`
	for name, c := range map[string]struct {
		record             *kgo.Record
		mapped, want, data string
	}{
		"structured before the mapping":      {envelope(event, "content-type", "application/cloudevents+json"), "Make", "Add", `{"a":1}`},
		"binary before the mapping":          {envelope(`{}`, "ce_type", "counters.v1.Make"), "Add", "Make", `{}`},
		"the mapping":                        {envelope(`{}`), "Add", "Add", `{}`},
		"the mapping, as ce_type is invalid": {envelope(`{}`, "ce_type", "\xff"), "Add", "Add", `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := read(c.record, c.mapped)
			require.Empty(t, got.Problem)
			require.Equal(t, c.want, got.Type)
			require.Equal(t, c.data, string(got.Data))
		})
	}
}

func TestRead_keepsTheCause(t *testing.T) {
	t.Parallel()
	want := outbox.Cause{Time: 1, CommandID: "id", CorrelationID: "c", TraceParent: aTrace, TraceState: "a=b"}
	binary := envelope(`{}`, "ce_type", "counters.v1.Add", "ce_id", "id", "ce_correlationid", "c", "traceparent", aTrace, "tracestate", "a=b")
	_, cause := read(binary, "")
	require.Equal(t, want, cause)
	structured := envelope(`{"specversion":"1.0","type":"counters.v1.Add","id":"id","correlationid":"c","traceparent":"`+aTrace+`","tracestate":"a=b","data":{}}`,
		"content-type", "application/cloudevents+json")
	_, cause = read(structured, "")
	require.Equal(t, want, cause)
}

func TestRead_findsTheSequence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0000000000000000012": 12, "9223372036854775807": 1<<63 - 1, "": 0, "0": 0, "-1": 0, "+1": 0, "1.5": 0, "x": 0, "9223372036854775808": 0,
	} {
		got, _ := read(envelope(`{}`, "ce_type", "counters.v1.Add", "ce_sequence", text), "")
		require.Equal(t, want, got.Sequence, text)
		require.Equal(t, text, got.SequenceText)
		got, _ = read(envelope(`{"specversion":"1.0","type":"counters.v1.Add","sequence":"`+text+`","data":{}}`, "content-type", "application/cloudevents+json"), "")
		require.Equal(t, want, got.Sequence, text)
		require.Equal(t, text, got.SequenceText)
		require.Empty(t, got.Problem)
	}
}

func TestRead_leavesOutWhatIsNotWellFormed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 256)
	for _, value := range []string{"", "a\x00", "\n", "\u0085", "\xff", long} {
		got, cause := read(envelope(`{}`, "ce_id", value, "ce_correlationid", value), "Add")
		require.Empty(t, got.Problem, "%q", value)
		require.Equal(t, outbox.Cause{Time: 1}, cause, "%q", value)
	}
	for _, parent := range []string{
		"", "x", strings.ToUpper(aTrace), aTrace + "-x", "ff" + aTrace[2:], "00-" + strings.Repeat("0", 32) + aTrace[35:], aTrace[:36] + strings.Repeat("0", 16) + "-01", aTrace + "\x00",
	} {
		_, cause := read(envelope(`{}`, "traceparent", parent, "tracestate", "a=b"), "Add")
		require.Equal(t, outbox.Cause{Time: 1}, cause, "%q", parent)
	}
	_, cause := read(envelope(`{}`, "traceparent", aTrace, "tracestate", "\x00"), "Add")
	require.Equal(t, outbox.Cause{Time: 1, TraceParent: aTrace}, cause)
}

// FuzzRead checks that whatever comes is either a command or a refusal that says why, and that
// what is kept of it is text that headers and the database can hold.
func FuzzRead(f *testing.F) {
	f.Add("", "counters.v1.Add", "id", aTrace, "", []byte(`{}`))
	f.Add("application/cloudevents+json; charset=utf-8", "", "\x00", "", "Add", []byte(`{"specversion":"1.0","type":"counters.v1.Add","id":"1","data":{"n":1}}`))
	f.Add("application/cloudevents+json", "", "", "", "", []byte(`{"specversion":"1.0","type":"counters.v1.\u0000","id":"\u0000","traceparent":7,"data_base64":"e30="}`))
	f.Add("APPLICATION/CLOUDEVENTS-batch+json", "x", "", "", "", []byte(`[]`))
	f.Add("text/plain", "", "", "", "AddTo", []byte(nil))
	f.Fuzz(func(t *testing.T, contentType, kind, id, trace, mapped string, value []byte) {
		r := envelope("", "content-type", contentType, "ce_type", kind, "ce_id", id, "ce_correlationid", id, "traceparent", trace, "tracestate", id)
		r.Value = value
		m, cause := read(r, mapped)
		for _, text := range []string{cause.CommandID, cause.CorrelationID, cause.TraceParent, cause.TraceState} {
			requireText(t, text, 512)
		}
		if m.Reason != "" {
			require.Contains(t, []string{Malformed, UnknownType}, m.Reason)
			require.NotEmpty(t, m.Problem)
			require.True(t, utf8.ValidString(m.Problem))
			require.NotContains(t, m.Problem, "\x00")
			require.Less(t, len(m.Problem), 2000)
			return
		}
		require.NotEmpty(t, m.Type+mapped)
		if m.Type != mapped {
			requireText(t, m.Type, 255)
		}
		if isCloudEvents(contentType) {
			requireEvent(t, value, m)
			return
		}
		require.Equal(t, value, m.Data)
	})
}

func requireText(t *testing.T, s string, most int) {
	t.Helper()
	require.True(t, len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl), "%q", s)
}

// requireEvent reads a structured command again, by the standard library.
func requireEvent(t *testing.T, value []byte, m Message) {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(value, &members))
	var version, kind string
	require.NoError(t, json.Unmarshal(members["specversion"], &version))
	require.NoError(t, json.Unmarshal(members["type"], &kind))
	require.Equal(t, "1.0", version)
	require.Equal(t, testPrefix+m.Type, kind)
	if data, ok := members["data"]; ok && string(data) != "null" {
		require.Equal(t, string(data), string(m.Data))
		return
	}
	var data []byte
	require.NoError(t, json.Unmarshal(members["data_base64"], &data))
	require.Equal(t, string(data), string(m.Data))
}

// Of what another service publishes, some types are taken; all others are ignored, also where they
// could not be read.
func TestRead_ignoresTypesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	facts := &Types{Prefix: "stock.v1.", Takes: []string{"Counted"}}
	structured := func(kind string) *kgo.Record {
		return envelope(`{"specversion":"1.0","type":"`+kind+`"}`, "content-type", "application/cloudevents+json")
	}
	for name, c := range map[string]struct {
		record  *kgo.Record
		ignored bool
		taken   string
		reason  string
	}{
		"taken":                        {record: envelope(`{}`, "ce_type", "stock.v1.Counted"), taken: "Counted"},
		"another type":                 {record: envelope(`{}`, "ce_type", "stock.v1.Moved"), ignored: true},
		"another prefix":               {record: envelope(`{}`, "ce_type", "stock.v2.Counted"), ignored: true},
		"another type, structured":     {record: structured("stock.v1.Moved"), ignored: true},
		"taken, and without its data":  {record: structured("stock.v1.Counted"), reason: Malformed},
		"without a type it is no fact": {record: envelope(`{}`), reason: Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			got := Read(c.record, facts, &outbox.Cause{})
			require.Equal(t, c.ignored, got.Ignored)
			require.Equal(t, c.taken, got.Type)
			require.Equal(t, c.reason, got.Reason)
		})
	}
}

// A command says that it is to be done once, and must have an id then.
func TestRead_findsWhatIsToBeDoneOnce(t *testing.T) {
	t.Parallel()
	binary := func(headers ...string) *kgo.Record {
		return envelope(`{}`, append([]string{"ce_type", "counters.v1.Add"}, headers...)...)
	}
	structured := func(members string) *kgo.Record {
		return envelope(`{"specversion":"1.0","type":"counters.v1.Add","data":{}`+members+`}`, "content-type", "application/cloudevents+json")
	}
	for name, c := range map[string]struct {
		record *kgo.Record
		once   bool
	}{
		"binary": {binary("ce_id", "1", "ce_once", "true"), true}, "binary without": {binary("ce_id", "1"), false}, "binary not": {binary("ce_id", "1", "ce_once", "false"), false},
		"structured": {structured(`,"id":"1","once":true`), true}, "structured text": {structured(`,"id":"1","once":"true"`), true}, "structured null": {structured(`,"id":"1","once":null`), false}, "structured not": {structured(`,"id":"1","once":false`), false},
		"bare": {envelope(`{}`, "ce_id", "1", "ce_once", "true"), true},
	} {
		got, _ := read(c.record, "Add")
		require.Empty(t, got.Problem, name)
		require.Equal(t, c.once, got.Once, name)
	}
	var cause outbox.Cause
	require.False(t, Read(binary("ce_id", "1", "ce_once", "true"), &Types{Prefix: testPrefix, Takes: []string{"Add"}}, &cause).Once, "an event of another service")
	for _, without := range []*kgo.Record{binary("ce_once", "true"), structured(`,"once":true`), binary("ce_once", "true", "ce_id", "\x01")} {
		got, _ := read(without, "")
		require.Equal(t, Malformed, got.Reason)
		require.Contains(t, got.Problem, "has no id")
		require.False(t, got.Once, "it shares its id with others")
	}
	for _, misspelt := range []*kgo.Record{
		binary("ce_id", "1", "ce_once", "True"), binary("ce_id", "1", "ce_once", "1"), binary("ce_id", "1", "ce_once", "true "), binary("ce_id", "1", "ce_once", "\x01"),
		envelope(`{}`, "ce_id", "1", "ce_once", "yes"), structured(`,"id":"1","once":"True"`), structured(`,"id":"1","once":1`), structured(`,"id":"1","once":{}`),
	} {
		got, _ := read(misspelt, "Add")
		require.Equal(t, Malformed, got.Reason)
		require.Regexp(t, `ce_once ".*" is not allowed: it must be true or false`, got.Problem)
	}
	got, _ := read(envelope(`{}`, "ce_type", "nobody's", "ce_once", "true"), "")
	require.Equal(t, UnknownType, got.Reason)
	require.False(t, got.Once)
}

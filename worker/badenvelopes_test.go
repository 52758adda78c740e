package worker_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// envelopeProbes are all ways in which an envelope can be right or wrong, around commands that give
// names to one counter.
func envelopeProbes(mapped string) (probes []probe) {
	for _, list := range [][]probe{structuredProbes(), attributeProbes(), dataProbes(), binaryProbes(), valueProbes(), oddProbes(), mappedProbes(mapped)} {
		probes = append(probes, list...)
	}
	return probes
}

// envelopes counts the names that probes give, so that each is another.
type envelopes struct {
	of     string
	probes []probe
}

func (e *envelopes) data() string {
	return fmt.Sprintf(`{"key":"a","name":"%s%d","n":1}`, e.of, len(e.probes))
}

func (e *envelopes) add(name string, r *kgo.Record, refused, says string) {
	p := probe{name: e.of + ": " + name, record: r, refused: refused, says: says}
	if refused == "" {
		p.events = []string{"Made"}
	}
	e.probes = append(e.probes, p)
}

// with adds a record of headers, key and value by turns; \x00 alone stands for a null value.
func (e *envelopes) with(refused, says, value string, headers ...string) {
	r := &kgo.Record{Value: []byte(value)}
	for i := 0; i < len(headers); i += 2 {
		h := kgo.RecordHeader{Key: headers[i], Value: []byte(headers[i+1])}
		if headers[i+1] == null {
			h.Value = nil
		}
		r.Headers = append(r.Headers, h)
	}
	e.add(fmt.Sprintf("%.90q %.60q", headers, value), r, refused, says)
}

const (
	null           = "\x00"
	structuredJSON = "application/cloudevents+json"
	makes          = typePrefix + "Make"
)

// event is a structured command of which some members were replaced or, by an empty text, taken
// out; more are added.
func (e *envelopes) event(changes ...string) string {
	members := []string{"specversion", `"1.0"`, "type", `"` + makes + `"`, "id", `"x"`, "source", `"/s"`, "data", e.data()}
	var out []string
	for i := 0; i < len(members); i += 2 {
		value := members[i+1]
		for j := 0; j < len(changes); j += 2 {
			if changes[j] == members[i] {
				value = changes[j+1]
				changes = append(changes[:j:j], changes[j+2:]...)
				break
			}
		}
		if value != "" {
			out = append(out, fmt.Sprintf(`%q:%s`, members[i], value))
		}
	}
	for j := 0; j < len(changes); j += 2 {
		out = append(out, fmt.Sprintf(`%q:%s`, changes[j], changes[j+1]))
	}
	return "{" + strings.Join(out, ",") + "}"
}

func structuredProbes() []probe {
	e := &envelopes{of: "structured"}
	for _, contentType := range []string{
		structuredJSON, "Application/CloudEvents+JSON", structuredJSON + "; charset=utf-8", structuredJSON + ";charset=UTF-8;x=y", structuredJSON + " ; charset=utf-8",
	} {
		e.with("", "", e.event(), "content-type", contentType)
	}
	e.with("", "", e.event(), "content-type", structuredJSON, "ce_type", "nonsense")
	e.with("", "", e.event(), "content-type", "text/plain", "content-type", structuredJSON)
	e.with("", "", " \n\t"+e.event()+"\r\n", "content-type", structuredJSON)
	for _, contentType := range []string{
		"application/cloudevents", "application/cloudevents+avro", "application/cloudevents+protobuf", "application/cloudevents+xml", "application/cloudevents;format=json",
		"application/cloudevents-batch+json", "APPLICATION/CLOUDEVENTS-BATCH+JSON", "application/cloudevents+jsonx", "application/cloudevents+", "application/cloudeventsxyz",
		"application/cloudevents+\xff", "application/cloudevents\x00+json", "application/cloudevents+" + strings.Repeat("x", 3000),
	} {
		e.with("malformed", "content-type", e.event(), "content-type", contentType, "ce_type", makes)
	}
	e.with("malformed", "content-type", "["+e.event()+"]", "content-type", "application/cloudevents-batch+json")
	for value, says := range map[string]string{
		"": "CloudEvent", "null": "CloudEvent", "{": "CloudEvent", "[]": "CloudEvent", `"x"`: "CloudEvent", "7": "CloudEvent", "not JSON": "CloudEvent", "\xff": "UTF-8",
		"[" + e.event() + "]": "CloudEvent", e.event() + "x": "CloudEvent", "\ufeff" + e.event(): "CloudEvent", e.event("x\xff", "1"): "CloudEvent",
		e.event("id2", "1", "id2", "1"): "id2", e.event("type2", "null", "type2", "1"): "type2", e.data(): "specversion", "{}": "specversion",
	} {
		e.with("malformed", says, value, "content-type", structuredJSON)
	}
	return e.probes
}

func attributeProbes() []probe {
	e := &envelopes{of: "attribute"}
	refused := func(reason, says string, changes ...string) {
		e.with(reason, says, e.event(changes...), "content-type", structuredJSON)
	}
	for _, value := range []string{"", `null`, `"0.3"`, `"1"`, `"1.0.0"`, `" 1.0"`, `""`, `1.0`, `1`, `true`, `{}`, `["1.0"]`} {
		refused("malformed", "specversion", "specversion", value)
	}
	for _, value := range []string{"", `null`, `""`, `7`, `true`, `{}`, `["` + makes + `"]`} {
		refused("malformed", "type", "type", value)
	}
	for _, value := range []string{
		`"Make"`, `"counters.v2.Make"`, `"counters.v1."`, `"counters.v1.make"`, `"counters.v1.Make "`, `"Counters.v1.Make"`,
		`"counters.v1.Nope"`, `"counters.v1.Made"`, `"counters.v1.` + strings.Repeat("x", 243) + `"`, `"` + strings.Repeat("é", 127) + `"`,
	} {
		refused("unknown_type", "", "type", value)
	}
	for _, value := range []string{ // such values count as absent, as in headers
		`"counters.v1.\u0000"`, `"\u0000"`, `"` + makes + `\u0000"`, `"` + makes + `\n"`, `"counters.v1.\u007f\u0085"`, "\"" + makes + "\x7f\"",
		`"counters.v1.` + strings.Repeat("x", 244) + `"`, `"` + makes + strings.Repeat(" ", 3000) + `"`, `"` + strings.Repeat("é", 128) + `"`,
	} {
		refused("malformed", "type", "type", value)
	}
	for _, member := range []string{"correlationid", "traceparent", "tracestate", "time", "subject", "datacontenttype", "dataschema", "other", "partitionkey"} {
		for _, value := range []string{`null`, `""`, `"x"`, `7`, `true`, `"\u0000"`, `"` + strings.Repeat("é", 200) + `"`} {
			refused("", "", member, value)
		}
	}
	for _, value := range []string{"", `null`, `""`, `"\u0000"`, `"a\u0085"`, `"` + strings.Repeat("x", 256) + `"`} {
		refused("", "", "id", value)
	}
	return e.probes
}

func dataProbes() []probe {
	e := &envelopes{of: "data"}
	try := func(reason, says string, changes ...string) {
		e.with(reason, says, e.event(changes...), "content-type", structuredJSON)
	}
	encoded := func(data string) string { return `"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"` }
	for _, value := range []string{"", `null`, `"x"`, `""`, `7`, `true`, `[]`, `[{}]`} {
		try("malformed", "data", "data", value)
	}
	try("malformed", "key", "data", `{}`)
	try("malformed", "n:", "data", `{"key":"a","name":"s","n":"1"}`)
	try("malformed", "key", "data", `{"key":"a","key":"a","name":"s","n":1}`)
	try("", "", "data", "", "data_base64", encoded(e.data()))
	try("", "", "data", "", "data_base64", encoded(" "+e.data()+"\n"))
	for _, value := range []string{`7`, `true`, `{}`, `["x"]`, `"x"`, `"!!!!"`, `"e30"`, `"e30=="`, `"e30=x"`, `"é"`} {
		try("malformed", "data_base64", "data", "", "data_base64", value)
	}
	for value, says := range map[string]string{
		``: "empty", `null`: "object", `[]`: "object", `"x"`: "object", `{`: "JSON", "\xff": "UTF-8", `{}`: "key", e.data() + e.data(): "JSON", "{\"key\":\"\xff\"}": "UTF-8",
	} {
		try("malformed", says, "data", "", "data_base64", encoded(value))
	}
	try("malformed", "data_base64", "data_base64", encoded(e.data()))
	return e.probes
}

func binaryProbes() []probe {
	e := &envelopes{of: "binary"}
	e.with("", "", e.data(), "ce_type", makes)
	e.with("", "", e.data(), "ce_type", makes, "ce_specversion", "1.0", "content-type", "application/json")
	for _, contentType := range []string{"", null, "text/plain", "nonsense", "\xff", "\x01", " application/cloudevents+json", "application/cloudevent", "application/avro"} {
		e.with("", "", e.data(), "ce_type", makes, "content-type", contentType)
	}
	e.with("", "", e.data(), "content-type", structuredJSON, "content-type", "application/json", "ce_type", makes)
	e.with("", "", e.data(), "ce_type", "nonsense", "ce_type", makes)
	for _, name := range []string{"ce_id", "ce_correlationid", "ce_source", "ce_time", "ce_subject", "traceparent", "tracestate"} {
		for _, value := range []string{"", null, "x", "a\x00b", "\n", "\xc2\x85", "\xff", strings.Repeat("x", 255), strings.Repeat("x", 256)} {
			e.with("", "", e.data(), "ce_type", makes, name, value)
		}
	}
	e.with("malformed", "ce_specversion", e.data(), "ce_type", makes, "ce_specversion", "0.3")
	e.with("malformed", "type", e.data())
	e.with("malformed", "type", e.data(), "CE_TYPE", makes)
	e.with("malformed", "type", e.data(), "ce-type", makes)
	e.with("malformed", "type", e.data(), "content-type", "application/json", "ce_specversion", "1.0", "ce_id", "x")
	for _, absent := range []string{
		"", null, "\x01", makes + "\n", makes + "\x7f", makes + "\u0085", makes + "\xff", "\xc0\x80", makes + strings.Repeat(" ", 256-len(makes)),
	} {
		e.with("malformed", "type", e.data(), "ce_type", absent)
		e.with("malformed", "type", e.data(), "ce_type", makes, "ce_type", absent)
	}
	for _, unknown := range []string{
		"Make", "x", "counters.v1.", "counters.v1.Nope", "counters.v1.make", "counters.v1.Made", "counters.v1.Make.", " " + makes, makes + " ",
		"counters.v2.Make", "COUNTERS.V1.MAKE", makes + strings.Repeat("x", 255-len(makes)), strings.Repeat("é", 127),
	} {
		e.with("unknown_type", "", e.data(), "ce_type", unknown)
		e.with("unknown_type", "", e.data(), "ce_type", makes, "ce_type", unknown)
	}
	return e.probes
}

func valueProbes() []probe {
	e := &envelopes{of: "value"}
	for _, value := range []string{
		"", " ", "null", "true", "7", `"x"`, "[]", "[{}]", "x", "{", "}", "{}}", "{,}", `{"key"}`, `{"key":}`, `{key:"x"}`, `{'key':'x'}`, "\x00", "\xff\xfe", "\x80", "\ufeff{}",
		`{"key":"a","name":"s","n":1}{"key":"b","name":"s","n":1}`, `{"key":"a","name":"s","n":1,}`, `{"key":"a","name":"s","n":1} // x`,
		`{"key":"a","name":"s","n":1}` + "\x00", "\x00" + `{"key":"a","name":"s","n":1}`, `{"key":"a",` + "\x00" + `"name":"s","n":1}`, "\x00\x01\x00\x00\x00\x07binary",
		`{"key":"a","name":"s","n":1,"x":"` + "\xff" + `"}`, `{"key":"a","name":"s","n":1,"` + "\xff" + `":1}`, `{"key":"a","name":"s","n":1,"x":"\ud800"}`,
		`{"key":"a","name":"s","n":1,"x":1,"x":1}`, `{"key":"a","name":"s","n":1,"\u006bey":"a"}`, strings.Repeat("[", 100_000), strings.Repeat(`{"x":`, 100_000),
	} {
		e.with("malformed", "", value, "ce_type", makes)
	}
	r := command("Make", "")
	r.Value = nil
	e.add("null value", r, "malformed", "empty")
	e.with("", "", strings.Replace(e.data(), "}", `,"x":{"n":[1.5,null]},"KEY":7,"N":"x","":0}`, 1), "ce_type", makes)
	e.with("", "", " \t\r\n"+strings.ReplaceAll(e.data(), ",", " ,\n")+" ", "ce_type", makes)
	return e.probes
}

// oddProbes are records that are bad, and unusual in what must be kept of them.
func oddProbes() []probe {
	e := &envelopes{of: "odd"}
	e.with("malformed", "", "x", "", "", "a", null, "a", "", "a", "\x00\xff", "\x00", "x", "\xff", "y", "ce_type", makes)
	e.with("malformed", "", "x", "ce_type", makes, "dlq-reason", "mine", "dlq-message", null, "dlq-original-offset", "x", "dlq-reason", "again")
	e.with("malformed", "", "x", "ce_type", makes, "ce_id", "\x00", "traceparent", "\xff", "ce_correlationid", strings.Repeat("x", 300))
	many := []string{"ce_type", makes}
	for i := range 500 {
		many = append(many, fmt.Sprintf("h%d", i%7), fmt.Sprint(i))
	}
	e.with("malformed", "", "x", many...)
	for _, at := range []int64{-1, 0, 1, 981173106000} { // none; the epoch; the year 2001
		r := command("Make", "x")
		r.Timestamp = time.UnixMilli(at)
		e.add(fmt.Sprint("timestamp ", at), r, "malformed", "")
		r = command("Make", "%s", e.data())
		r.Timestamp = time.UnixMilli(at)
		e.add(fmt.Sprint("timestamp ", at), r, "", "")
	}
	return append(e.probes, largeProbes()...)
}

// largeProbes are records up to the broker's limit of 1 MiB for a batch.
func largeProbes() []probe {
	e := &envelopes{of: "large"}
	const most = 1<<20 - 300
	fill := noise(most)
	e.with("malformed", "", fill, "ce_type", makes)
	e.with("malformed", "", strings.Repeat("\x00", most), "ce_type", makes)
	e.with("malformed", "type", fill)
	e.with("malformed", "", "x", "ce_type", makes, "large", fill)
	e.with("malformed", "type", "x", "ce_type", fill)
	e.with("malformed", "content-type", "x", "content-type", "application/cloudevents+"+fill[:most/2])
	e.with("malformed", "key", `{"key":"`+fill+`","name":"s","n":1}`, "ce_type", makes)
	e.with("malformed", "n:", `{"key":"a","name":"s","n":`+strings.Repeat("9", most)+`}`, "ce_type", makes)
	e.with("malformed", "type", e.event("type", `"`+fill+`"`), "content-type", structuredJSON)
	e.with("", "", strings.Replace(e.data(), "}", `,"x":"`+fill+`"}`, 1), "ce_type", makes)
	return e.probes
}

// noise is text that compression makes little of.
func noise(bytes int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text := make([]byte, bytes)
	for i := range text {
		text[i] = letters[rand.IntN(len(letters))]
	}
	return string(text)
}

// mappedProbes come by a topic whose records, if they name no type, add to a counter.
func mappedProbes(topic string) []probe {
	e := &envelopes{of: "mapped"}
	bare := func(refused, says, value string, headers ...string) {
		e.with(refused, says, value, headers...)
		p := &e.probes[len(e.probes)-1]
		key := fmt.Sprintf("mapped-%d", len(e.probes))
		p.before = []*kgo.Record{create(key, key, 1)}
		p.before[0].Topic, p.record.Topic = topic, topic
		p.record.Value = []byte(strings.ReplaceAll(value, "@", `"`+key+`"`))
		if refused == "" {
			p.events = []string{"Added"}
		}
	}
	const adds = typePrefix + "Add"
	bare("", "", `{"key":@,"n":5}`)
	bare("", "", `{"key":@,"n":5}`, "content-type", "application/json", "ce_id", "x", "ce_specversion", "1.0")
	bare("", "", `{"key":@,"n":5}`, "ce_type", "")
	bare("", "", `{"key":@,"n":5}`, "ce_type", "\xff")
	bare("", "", `{"key":@,"n":5}`, "ce_type", "nonsense", "ce_type", "\x01")
	bare("", "", `{"key":@,"n":5}`, "ce_type", adds)
	bare("", "", `{"specversion":"1.0","type":"`+adds+`","data":{"key":@,"n":5}}`, "content-type", structuredJSON)
	bare("unknown_type", "", `{"key":@,"n":5}`, "ce_type", "nonsense")
	bare("malformed", "key", `{"n":5}`, "ce_type", makes)
	bare("malformed", "content-type", `{"key":@,"n":5}`, "content-type", "application/cloudevents")
	bare("malformed", "specversion", `{"key":@,"n":5}`, "content-type", structuredJSON)
	for _, value := range []string{"", "x", "[]", "{}", `{"key":@}`, `{"n":5}`, `{"key":@,"n":1.5}`, `{"specversion":"1.0","type":"` + adds + `","data":{"key":@,"n":5}}`} {
		bare("malformed", "", value)
	}
	bare("unknown_key", "nowhere", `{"key":"nowhere","n":5}`)
	e.probes[len(e.probes)-1].events = []string{"Rejected"}
	return e.probes
}

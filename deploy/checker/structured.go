package checker

import (
	"encoding/base64"
	"strings"
)

// structured reads a command in CloudEvents' structured mode.
func (c *command) structured(contentType string) {
	c.refusal = "malformed"
	media, _, _ := strings.Cut(contentType, ";")
	members, ok := object(c.value)
	if strings.TrimSpace(media) != "application/cloudevents+json" || !ok {
		return
	}
	text := func(name string) string {
		s, _ := unquote(members.of(name))
		return s
	}
	c.id, c.corr = attribute([]byte(text("id"))), attribute([]byte(text("correlationid")))
	if parent := text("traceparent"); parent != "" {
		c.trace([]byte(parent), []byte(text("tracestate")))
	}
	data := []byte(members.of("data"))
	if encoded := text("data_base64"); encoded != "" {
		data, _ = base64.StdEncoding.DecodeString(encoded)
	}
	if text("specversion") != "1.0" || text("type") == "" || len(data) == 0 {
		return
	}
	c.refusal = ""
	c.named(text("type"), data)
}

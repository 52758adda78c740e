package e2e

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes spans by OTLP over HTTP, as a collector does.
type receiver struct {
	url string

	mu    sync.Mutex
	all   []*otlp.Span
	named map[string]bool // service.name of who sent some
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{named: map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		assert.NoError(t, err)
		assert.Equal(t, []string{"/v1/traces", "application/x-protobuf"}, []string{request.URL.Path, request.Header.Get("Content-Type")})
		var export collector.ExportTraceServiceRequest
		assert.NoError(t, proto.Unmarshal(body, &export))
		r.take(&export)
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty answer takes all
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) take(export *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range export.ResourceSpans {
		for _, a := range of.Resource.Attributes {
			if a.Key == "service.name" {
				r.named[a.Value.GetStringValue()] = true
			}
		}
		for _, scope := range of.ScopeSpans {
			r.all = append(r.all, scope.Spans...)
		}
	}
}

// spans are those that came, in the order in which they began.
func (r *receiver) spans(wanted func(*otlp.Span) bool) (spans []*otlp.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.all {
		if wanted(s) {
			spans = append(spans, s)
		}
	}
	slices.SortStableFunc(spans, func(a, b *otlp.Span) int { return cmp.Compare(a.StartTimeUnixNano, b.StartTimeUnixNano) })
	return spans
}

// trace are the spans of a trace.
func (r *receiver) trace(id string) []*otlp.Span {
	return r.spans(func(s *otlp.Span) bool { return hex.EncodeToString(s.TraceId) == id })
}

// saySpan is a span as people write it: name, kind, parent, attributes, and why it failed.
func saySpan(s *otlp.Span) string {
	said := []string{s.Name, strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")), "of " + hex.EncodeToString(s.ParentSpanId)}
	slices.SortFunc(s.Attributes, func(a, b *common.KeyValue) int { return cmp.Compare(a.Key, b.Key) })
	for _, a := range s.Attributes {
		said = append(said, fmt.Sprintf("%s=%v", a.Key, sayValue(a.Value)))
	}
	if s.Status.GetCode() != otlp.Status_STATUS_CODE_UNSET {
		said = append(said, s.Status.Message)
	}
	return strings.Join(said, " ")
}

func sayValue(v *common.AnyValue) any {
	switch v := v.Value.(type) {
	case *common.AnyValue_StringValue:
		return v.StringValue
	case *common.AnyValue_IntValue:
		return v.IntValue
	case *common.AnyValue_BoolValue:
		return v.BoolValue
	}
	return v
}

// linksOf are the traces and spans that a span is linked to.
func linksOf(s *otlp.Span) (links []string) {
	for _, l := range s.Links {
		links = append(links, hex.EncodeToString(l.TraceId)+"-"+hex.EncodeToString(l.SpanId))
	}
	return links
}

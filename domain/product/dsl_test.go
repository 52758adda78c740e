package product_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

// story runs commands, written as in the specification, on a catalog that knows everything.
//
//	CreateBatch b1 CHAIR 50 eta=2030-01-01     ChangeBatchQuantity b1 25 sku=CHAIR revision=3
//	Allocate o1 CHAIR 20 lineid=l1             ChangeBatchEta b1 eta=2030-01-01
//
// Any command may have id=… for the id that its sender gave it.
type story struct {
	t       *testing.T
	db      *database
	catalog *product.Catalog
	last    []product.Result
}

// given runs commands, which must not be refused.
func given(t *testing.T, commands ...string) *story {
	t.Helper()
	s := &story{t: t, db: newDatabase(), catalog: product.NewCatalog()}
	s.when(commands...)
	for i, result := range s.last {
		require.Nil(t, result.Refusal, commands[i])
	}
	return s
}

func (s *story) when(commands ...string) *story {
	s.t.Helper()
	s.last = nil
	for _, text := range commands {
		cmd, id := parseCommand(s.t, text)
		s.last = append(s.last, s.db.apply(s.catalog, cmd, id, generous))
	}
	return s
}

// then compares the events of the last when, and its refusals as "refused: reason".
func (s *story) then(want ...string) *story {
	s.t.Helper()
	got := []string{}
	for _, result := range s.last {
		if result.Refusal != nil {
			got = append(got, "refused: "+string(result.Refusal.Reason))
		}
		for _, e := range result.Events {
			got = append(got, describe(e))
		}
	}
	require.Equal(s.t, append([]string{}, want...), got)
	return s
}

// nothing says that the last when had no effect and was not refused.
func (s *story) nothing() *story {
	s.t.Helper()
	return s.then()
}

// batch compares a batch's quantity and what is available.
func (s *story) batch(ref string, qty, available int64) *story {
	s.t.Helper()
	s.db.save(s.catalog)
	s.catalog = product.NewCatalog()
	b := s.db.batches[ref]
	require.Equal(s.t, []int64{qty, available}, []int64{b.Qty, b.Available()}, "qty and available of %s", ref)
	return s
}

func parseCommand(t *testing.T, text string) (cmd product.Command, id string) {
	t.Helper()
	words := strings.Fields(text)
	known := product.FindCommand(words[0])
	require.NotNil(t, known, text)
	members := map[string]any{}
	for i, word := range words[1:] {
		name, value, named := strings.Cut(word, "=")
		switch {
		case !named:
			name, value = known.Fields[i].Name, word
		case name == "id":
			id = value
			continue
		}
		members[name] = value
		if name == "qty" || name == "revision" {
			members[name] = json.Number(value)
		}
	}
	data, err := json.Marshal(members)
	require.NoError(t, err)
	cmd, refusal := product.DecodeCommand(known.Name, data)
	require.Nil(t, refusal, text)
	return cmd, id
}

// describe is an event as the specification's examples write it: the type, the order or batch, what
// else it has.
func describe(e product.Event) string {
	words := []string{string(e.Type), e.Subject()}
	add := func(ok bool, format string, value any) {
		if ok {
			words = append(words, fmt.Sprintf(format, value))
		}
	}
	isLine := e.Line != product.LineID{}
	add(isLine && e.Line.LineID != "", "lineid=%s", e.Line.LineID)
	add(!isLine && e.Type != product.BatchEtaChanged, "%d", e.Qty)
	add(isLine && e.BatchRef != "", "%s", e.BatchRef)
	add(e.Reason != "", "%s", e.Reason)
	add(e.ETA != "", "eta=%s", e.ETA)
	add(e.Type == product.BatchQuantityChanged && e.Revision != product.NoRevision, "revision=%d", e.Revision)
	return strings.Join(words, " ")
}

package order_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "allocation/domain/order"
)

// Of a command of a later version only what could be a name is believed.
func TestGuessNewer(t *testing.T) {
	t.Parallel()
	alice := Keys{CustomerID: "alice", OrderID: "alice.1"}
	for data, want := range map[string]Keys{
		`{"customerid":"alice","orderid":"alice.1","new":[]}`: {CustomerID: "alice", OrderID: "alice.1"},
		`{"customerid":"alice","cartid":"alice.1"}`:           alice,
		`{"cartid":"alice.1"}`:                                alice,
		`{"customerid":7,"orderid":"alice.1"}`:                alice,
		`{"customerid":"al.ice","orderid":"alice.1"}`:         alice,
		`{"customerid":"a\u0000","orderid":"alice.1"}`:        alice,
		`{"customerid":"bob","orderid":"alice.1"}`:            {CustomerID: "bob"},
		`{"batchref":"b1"}`:                                   {Batch: "b1"},
		`{"batchref":"b\u00001"}`:                             {CustomerID: "the-key"},
		`{"customerid":"` + strings.Repeat("a", 256) + `"}`:   {CustomerID: "the-key"},
		`{"orderid":"none"}`:                                  {CustomerID: "the-key"},
		`no JSON`:                                             {CustomerID: "the-key"},
		`[]`:                                                  {CustomerID: "the-key"},
	} {
		require.Equal(t, want, GuessNewer([]byte(data), []byte("the-key")), data)
	}
	require.Equal(t, Keys{}, GuessNewer(nil, []byte("batch.b1")))
	require.Equal(t, Keys{}, GuessNewer(nil, []byte("\xff")))
	require.Equal(t, Keys{}, GuessNewer(nil, nil))
}

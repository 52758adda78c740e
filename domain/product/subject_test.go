package product_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/domain/product"
)

func TestGuessSubject(t *testing.T) {
	t.Parallel()
	for data, subject := range map[string]string{
		`{"orderid":"o1","sku":"CHAIR","qty":0}`: "o1",
		`{"batchref":"b1","qty":-1}`:             "b1",
		`{"ref":"b2","orderid":7}`:               "b2",
		`{"orderid":"a\u0000b"}`:                 "",
		`{"orderid":""}`:                         "",
		`[]`:                                     "",
		`{"orderid":"o1"`:                        "",
		``:                                       "",
	} {
		require.Equal(t, subject, product.GuessSubject([]byte(data)), data)
	}
}

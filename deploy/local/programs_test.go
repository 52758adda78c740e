package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMajor(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 18.3\n":                           18,
		"postgres (PostgreSQL) 19beta1\n":                        19,
		"postgres (PostgreSQL) 17":                               17,
	} {
		major, err := parseMajor(output)
		require.NoError(t, err)
		require.Equal(t, want, major, output)
	}
	_, err := parseMajor("something else")
	require.Error(t, err)
}

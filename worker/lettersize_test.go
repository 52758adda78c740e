package worker_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// A refused command that the dead-letter topic has no room for is published without its value,
// which the row keeps; what comes after it goes on.
func TestWorker_keepsTheValueOfALetterThatIsTooLarge(t *testing.T) {
	p := setup(t, 1)
	p.setTopic(p.letters, "max.message.bytes", "10000")
	m := p.start()
	value := noise(20_000)
	p.send(0, command("Add", "%s", value), create("a", "first", 1), command("Add", "small"))
	got := p.await(3)
	for _, r := range got {
		if header(r, "dlq-original-offset") == "0" {
			require.Nil(t, r.Value)
			require.Equal(t, strconv.Itoa(len(value)), header(r, "dlq-value-bytes"))
			require.Equal(t, "malformed", header(r, "dlq-reason"))
		}
	}
	p.awaitAllCommitted()
	require.NoError(t, m.stop())

	var kept string
	p.ask(&kept, `select convert_from(value, 'UTF8') from dead_letters where command_offset = 0`)
	require.Equal(t, value, kept)
}

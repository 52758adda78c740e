package outbox

import "strconv"

// texts is one allocation that holds many header values. What it returned before stays valid when
// it grows.
type texts []byte

func (t *texts) text(s string) []byte {
	start := len(*t)
	*t = append(*t, s...)
	return t.since(start)
}

// number renders a prefix and numbers with points between them.
func (t *texts) number(prefix string, numbers ...int64) []byte {
	start := len(*t)
	*t = append(*t, prefix...)
	for i, n := range numbers {
		if i > 0 {
			*t = append(*t, '.')
		}
		*t = strconv.AppendInt(*t, n, 10)
	}
	return t.since(start)
}

// padded renders a number that is not negative with 19 digits, so that it sorts as text.
func (t *texts) padded(n int64) []byte {
	const digits = 19
	start := len(*t)
	var b [digits]byte
	for i := digits - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	*t = append(*t, b[:]...)
	return t.since(start)
}

// since cuts the capacity too, so that no one who appends to a value overwrites the next.
func (t *texts) since(start int) []byte { return (*t)[start:len(*t):len(*t)] }

package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// Integer reads the value of a flag, an integer from least to most.
func (p *Problems) Integer(flag, value string, least, most int) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		p.Add(flag, value, fmt.Sprintf("an integer from %d to %d", least, most))
	}
	return n
}

// Size reads the value of a flag, a number of bytes such as 2GiB. Empty is none.
func (p *Problems) Size(flag, value string) int64 {
	if value == "" {
		return 0
	}
	n, err := units.RAMInBytes(value)
	if err != nil || n <= 0 {
		p.Add(flag, value, "a size such as 200MiB or 2GiB")
	}
	return n
}

// duration reads a time such as 10s, 5m, 24h or 7d.
func (p *Problems) duration(flag, value string, least, most time.Duration) time.Duration {
	d, err := parseDuration(value)
	if err != nil || d < least || d > most {
		p.Add(flag, value, fmt.Sprintf("a time from %s to %s, such as 500ms, 10s, 5m or 7d", shortDuration(least), shortDuration(most)))
	}
	return d
}

const day = 24 * time.Hour

// parseDuration is time.ParseDuration with days, which retentions are given in.
func parseDuration(value string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * day, err
	}
	return time.ParseDuration(value)
}

func shortDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// Address reads host:port. The host may be empty: every address of this machine.
func (p *Problems) Address(flag, value string) string {
	if !validAddress(value) {
		p.Add(flag, value, "an address such as 127.0.0.1:8080 or :8080")
	}
	return value
}

func validAddress(value string) bool {
	_, port, err := net.SplitHostPort(value)
	if err != nil {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && (n > 0 || port == "0")
}

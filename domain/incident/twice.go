package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
)

func isTwice(member string) error {
	return fmt.Errorf("%s is there twice; it must be there once", member)
}

// twiceScanner finds members that an object has twice. It can be used again, in the same memory.
type twiceScanner struct {
	text  []byte
	at    int
	names [][]byte // of the objects that it is in, the innermost last
}

// find finds a member that an object in valid JSON has twice, such as ".events[1].sequence"; empty:
// there is none. It passes over the data of a command, whose decoder refuses such.
func (s *twiceScanner) find(valid []byte) string {
	s.text, s.at, s.names = valid, 0, s.names[:0]
	return s.value("data")
}

// add adds a name to those of the innermost object, which begin at first, and reports whether it is
// new there. Upper and lower case are the same, as where members are read. An object has few.
func (s *twiceScanner) add(name []byte, first int) bool {
	for _, known := range s.names[first:] {
		if bytes.EqualFold(known, name) {
			return false
		}
	}
	s.names = append(s.names, name)
	return true
}

func (s *twiceScanner) value(passOver string) string {
	switch s.next() {
	case '{':
		return s.object(passOver)
	case '[':
		return s.array()
	}
	s.pass()
	return ""
}

func (s *twiceScanner) object(passOver string) string {
	first := len(s.names)
	for s.at++; s.next() != '}'; {
		name := s.quoted()
		switch {
		case !s.add(name, first):
			return "." + string(name)
		case string(name) == passOver:
			s.pass()
		default:
			if inside := s.value(""); inside != "" {
				return "." + string(name) + inside
			}
		}
	}
	s.at++
	s.names = s.names[:first]
	return ""
}

func (s *twiceScanner) array() string {
	s.at++
	for i := 0; s.next() != ']'; i++ {
		if inside := s.value(""); inside != "" {
			return fmt.Sprintf("[%d]%s", i, inside)
		}
	}
	s.at++
	return ""
}

// pass passes over a value.
func (s *twiceScanner) pass() {
	for depth := 0; ; {
		switch s.next() {
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		case '"':
			s.quoted()
		default: // a number, true, false or null
			for s.at < len(s.text) && bytes.IndexByte([]byte(",]} \t\r\n"), s.text[s.at]) < 0 {
				s.at++
			}
		}
		if depth == 0 {
			return
		}
	}
}

// next is the first byte of what comes next, or the end of what it is in.
func (s *twiceScanner) next() byte {
	for {
		switch s.text[s.at] {
		case ',', ':', ' ', '\t', '\r', '\n':
			s.at++
		default:
			return s.text[s.at]
		}
	}
}

// quoted passes over a text, and gives it.
func (s *twiceScanner) quoted() []byte {
	from := s.at
	escaped := false
	for s.at++; s.text[s.at] != '"'; s.at++ {
		if s.text[s.at] == '\\' {
			escaped = true
			s.at++
		}
	}
	s.at++
	raw := s.text[from:s.at]
	if !escaped {
		return raw[1 : len(raw)-1]
	}
	var text string
	_ = json.Unmarshal(raw, &text) // it is valid
	return []byte(text)
}

package strictjson

import "fmt"

// scanner walks over text that is known to be valid JSON, so it looks only for where things end.
type scanner struct {
	data []byte
	at   int
}

// members visits the members of the object that begins here.
func (s *scanner) members(visit func(name []byte, value Value) error) error {
	var seen names
	for s.at++; ; s.at++ { // behind the brace, then behind each comma
		s.skipSpace()
		if s.data[s.at] == '}' {
			return nil
		}
		name := s.value().unescaped()
		if !seen.add(name) {
			return fmt.Errorf("the name %q occurs twice", shorten(name))
		}
		s.skipSpace()
		s.at++ // the colon
		s.skipSpace()
		if err := visit(name, s.value()); err != nil {
			return err
		}
		s.skipSpace()
		if s.data[s.at] == '}' {
			return nil
		}
	}
}

// value takes the value that begins here.
func (s *scanner) value() Value {
	from := s.at
	switch s.data[from] {
	case '"':
		s.skipString()
	case '{', '[':
		s.skipNested()
	default:
		s.skipLiteral()
	}
	return Value{raw: s.data[from:s.at]}
}

func (s *scanner) skipSpace() {
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) skipString() {
	for s.at++; s.data[s.at] != '"'; s.at++ {
		if s.data[s.at] == '\\' {
			s.at++
		}
	}
	s.at++
}

func (s *scanner) skipNested() {
	depth := 0
	for {
		switch s.data[s.at] {
		case '"':
			s.skipString()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		s.at++
		if depth == 0 {
			return
		}
	}
}

func (s *scanner) skipLiteral() {
	for {
		switch s.data[s.at] {
		case ',', '}', ' ', '\t', '\n', '\r':
			return
		}
		s.at++
	}
}

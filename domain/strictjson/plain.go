package strictjson

import "bytes"

// plain reports whether data is one JSON object of the kind that nearly all commands are: members
// that are texts without escapes, integers or null. It is false for any other text, valid or not.
// Nothing is left to check of a plain object in valid UTF-8.
func plain(data []byte) bool {
	p := plainText{data}
	p.space()
	if !p.skip('{') {
		return false
	}
	p.space()
	if !p.skip('}') && !p.members() {
		return false
	}
	p.space()
	return len(p.rest) == 0
}

type plainText struct{ rest []byte }

func (p *plainText) space() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\n' || p.rest[0] == '\t' || p.rest[0] == '\r') {
		p.rest = p.rest[1:]
	}
}

func (p *plainText) skip(c byte) bool {
	if len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// members skips all members and the object's end.
func (p *plainText) members() bool {
	for {
		p.space()
		if !p.text() {
			return false
		}
		p.space()
		if !p.skip(':') {
			return false
		}
		p.space()
		if !p.text() && !p.integer() && !p.null() {
			return false
		}
		p.space()
		if !p.skip(',') {
			return p.skip('}')
		}
	}
}

func (p *plainText) text() bool {
	if len(p.rest) == 0 || p.rest[0] != '"' {
		return false
	}
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return true
		case c == '\\' || c < ' ':
			return false
		}
	}
	return false
}

func (p *plainText) integer() bool {
	p.skip('-')
	n := 0
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		n++
	}
	if n == 0 || n > 1 && p.rest[0] == '0' {
		return false
	}
	p.rest = p.rest[n:]
	return true
}

func (p *plainText) null() bool {
	after, found := bytes.CutPrefix(p.rest, []byte("null"))
	p.rest = after
	return found
}

package strictjson

import "bytes"

// names is the set of the names seen so far: a short list, as nearly every object has few, and a
// map beyond that, so that an object with very many names costs no more than its length.
type names struct {
	few   [16][]byte // the first
	count int        // of few
	many  map[string]struct{}
}

// add reports whether name is new.
func (n *names) add(name []byte) bool {
	for _, known := range n.few[:n.count] {
		if bytes.Equal(known, name) {
			return false
		}
	}
	if n.count < len(n.few) {
		n.few[n.count] = name
		n.count++
		return true
	}
	if _, ok := n.many[string(name)]; ok {
		return false
	}
	if n.many == nil {
		n.many = make(map[string]struct{})
	}
	n.many[string(name)] = struct{}{}
	return true
}

// shorten keeps an error's text short, whatever the name.
func shorten(name []byte) []byte {
	const enough = 64
	if len(name) <= enough {
		return name
	}
	return append(bytes.ToValidUTF8(name[:enough], nil), "…"...)
}

// Package strictjson reads the top-level members of one JSON object, without leniency and nearly
// without allocation.
//
// It refuses what encoding/json lets pass and what two readers could understand differently: text
// that is not valid UTF-8, a top-level name twice (compared after unescaping, and
// case-sensitively), an escaped surrogate without its partner anywhere in the text, and data after
// the object. Nesting deeper than encoding/json's limit is refused too.
package strictjson

// Package redact takes secrets out of what other programs print.
//
// A Redactor does not keep the values that it knows, and does not spell them in all the ways in
// which a program may. It keeps keyed fingerprints of every eight letters and digits in a row,
// decodes the output in all those ways, and hides what it recognises.
//
// It is best effort. It finds parts of at least 8 letters and digits of a secret, 23 of one over 1
// KiB; in capitals, with anything between the characters, reversed, escaped, in base64,
// hexadecimal, octal or decimal numbers, encoded once. A shorter secret is found as a whole word.
// It cannot find what was encoded twice, compressed, encrypted or hashed.
package redact

import (
	"container/list"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/rendered/rendered/internal/fault"
	"github.com/rendered/rendered/sources"
)

// hidden stands in the place of what was recognised.
const hidden = "‹value›"

// What stands in the place of an output that is not shown.
const (
	withheldForgotten = "‹output withheld: there are more secrets than can be recognised in it at once; run the command by hand to see it›"
	withheldMistake   = "‹output withheld: what is secret in it cannot be told, by %s; please report this; run the command by hand to see it›"
)

// maxPrints bounds the fingerprints of a Redactor, which take 24 MiB then: about 7,000 secrets of
// 200 bytes, or 100 of 64 KiB.
const maxPrints = 3 << 19

// A Redactor knows secrets by their fingerprints, and forgets those that were not seen for the
// longest time. It may be used from several goroutines. Nothing of it is ever written to disk.
type Redactor struct {
	seed  maphash.Seed // of values and windows
	words maphash.Seed // of short secrets as they are written
	bare  maphash.Seed // and of their letters and digits alone

	mu     sync.RWMutex
	known  map[ID]*list.Element
	used   list.List // of *entry, the latest first
	free   []uint16  // numbers that owners had who are forgotten
	prints table
	most   int         // fingerprints
	forms  [256]uint32 // how many values have each

	mistake *fault.Fault // of our own, for which something could not be learned; nil: none
}

// A form is what a value is beside its windows: bytes, a word of some length, or one of some
// letters and digits. It makes a way of looking worth its while.
type form uint8

const (
	rawForm  form = 0xff
	bareForm form = 0x80 // and how many letters and digits
)

// An ID is a keyed digest of a value. It is good for one Redactor.
type ID uint64

// An entry is what is known of one value beside its fingerprints.
type entry struct {
	id    ID
	owner uint16 // in the table
	forms []form
}

// Marks of a fingerprint.
const (
	mixed  = 1 << iota // in the value it is not of a to z alone
	sparse             // not every window of its value has one
)

// New makes a Redactor that knows nothing.
func New() *Redactor {
	return &Redactor{
		seed: maphash.MakeSeed(), words: maphash.MakeSeed(), bare: maphash.MakeSeed(),
		known: make(map[ID]*list.Element), most: maxPrints,
	}
}

// hash gives the fingerprint of eight bytes.
func (r *Redactor) hash(window uint64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], window)
	return maphash.Bytes(r.seed, b[:])
}

// Learn has the Redactor know a value where it is a secret. The ID, which is 0 for one that is not,
// asks Withholds whether it does so still.
func (r *Redactor) Learn(v sources.Value) ID {
	if r == nil || !v.Secret {
		return 0
	}
	var h maphash.Hash
	h.SetSeed(r.seed)
	part := func(text string) {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(text)))
		h.Write(n[:])
		h.WriteString(text)
	}
	part(v.Text)
	part(string(v.Bytes))
	texts := slices.Clone(v.List)
	for _, name := range sortedNames(v.Params) {
		texts = append(texts, v.Params[name])
	}
	for _, t := range texts {
		part(t)
	}
	return r.learn(ID(h.Sum64()), func(c *collector) {
		if len(v.Bytes) > 0 {
			c.bytes(v.Bytes)
		}
		c.value(v.Text)
		for _, t := range texts {
			c.value(t)
		}
	})
}

// LearnText has the Redactor know a text that may be a secret, as the environment variables that
// templates read are.
func (r *Redactor) LearnText(text string) {
	if r != nil {
		r.learn(ID(maphash.String(r.words, text)), func(c *collector) { c.value(text) })
	}
}

// learn adds what collect collects, unless the entry is there. A value that is at odds with us must
// not keep its service from being rendered: after a panic no output is shown any more.
func (r *Redactor) learn(id ID, collect func(*collector)) ID {
	if r.touch(id) {
		return id
	}
	mistake := fault.Caught(func() {
		c := newCollector(r)
		collect(c)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.known[id] == nil {
			r.add(id, c)
		}
	})
	if mistake != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.mistake = mistake
	}
	return id
}

// touch reports whether an entry is known, which is thereby used.
func (r *Redactor) touch(id ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.known[id]
	if at != nil {
		r.used.MoveToFront(at)
	}
	return at != nil
}

// add adds an entry. What was not used for the longest time makes room for it.
func (r *Redactor) add(id ID, c *collector) {
	if len(c.prints) > r.most {
		return // nobody knows it then
	}
	if r.prints.count+len(c.prints) > r.most || r.used.Len() == maxOwners {
		r.forget(len(c.prints))
	}
	e := &entry{id: id, owner: uint16(r.used.Len() + 1), forms: slices.Clip(c.forms)}
	if n := len(r.free); n > 0 {
		e.owner, r.free = r.free[n-1], r.free[:n-1]
	}
	for p, marks := range c.prints {
		r.prints.add(p, e.owner, marks)
	}
	for _, f := range e.forms {
		r.forms[f]++
	}
	r.known[id] = r.used.PushFront(e)
}

// forget makes room for some fingerprints, and for an eighth of all: it goes through the whole
// table.
func (r *Redactor) forget(count int) {
	of := make(map[uint16]int)
	for _, owner := range r.prints.owners {
		of[owner>>markBits]++
	}
	gone := make(map[uint16]bool)
	for room := r.most - r.prints.count; r.used.Len() > 0 && (room < count+r.most/8 || r.used.Len() > maxOwners*7/8); {
		e := r.used.Remove(r.used.Back()).(*entry)
		delete(r.known, e.id)
		for _, f := range e.forms {
			r.forms[f]--
		}
		room += of[e.owner]
		gone[e.owner] = true
		r.free = append(r.free, e.owner)
	}
	r.prints.forget(func(owner uint16) bool { return gone[owner] })
}

// Withholds gives what stands in the place of an output that may hold these values, where the
// Redactor does not know all of them any more, or something could not be learned. It is "" where
// the output can be redacted.
func (r *Redactor) Withholds(ids []ID) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case r.mistake != nil:
		return fmt.Sprintf(withheldMistake, r.mistake.What)
	case slices.ContainsFunc(ids, func(id ID) bool { return id != 0 && r.known[id] == nil }):
		return withheldForgotten
	}
	return ""
}

// Redact gives output with every secret that the Redactor recognises in it hidden. What stands in
// the public texts (templates, the command itself) is shown. Where anything goes wrong now, or went
// wrong before, it gives what Withholds gives.
func (r *Redactor) Redact(output []byte, public ...string) (shown string) {
	if words := r.Withholds(nil); words != "" {
		return words
	}
	mistake := fault.Caught(func() {
		r.mu.RLock()
		defer r.mu.RUnlock()
		f := finder{Redactor: r, public: newPublic(public), hide: make([]bool, len(output))}
		readings(output, f.read)
		shown = f.result(output)
	})
	if mistake != nil {
		return fmt.Sprintf(withheldMistake, mistake.What)
	}
	return shown
}

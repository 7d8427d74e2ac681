package format

import "hash/maphash"

// tomlTables know which keys lead where. A table is the hash of the way to it, so that a key takes
// the same few bytes whatever its name.
type tomlTables struct {
	seed    maphash.Seed
	nodes   map[uint64]tomlNode
	at      uint64   // the table that keys are set in
	now     uint32   // the present section: headers so far
	inlines uint64   // inline tables so far
	undo    []uint64 // nodes of the inline tables around, which nobody can lead into once they are complete
	within  int      // inline tables around
}

// A tomlNode is what a key stands for.
type tomlNode struct {
	kind     tomlKind
	defined  bool   // by a header, which may not stand twice
	dottedIn uint32 // the section, counted from 1, whose dotted keys opened it: later ones may not define or open it; 0: none
	elements uint32 // of an array of tables
}

type tomlKind uint8

const (
	tomlNothing  tomlKind = iota
	tomlComplete          // a value, inline tables and arrays included: nothing leads into it
	tomlOpen              // a table
	tomlElements          // an array of tables, of which the last is meant
)

func newTOMLTables() *tomlTables {
	return &tomlTables{seed: maphash.MakeSeed(), nodes: make(map[uint64]tomlNode), at: 1, now: 1}
}

// child gives the way to what a key stands for in the present table.
func (t *tomlTables) child(key string) uint64 {
	var h maphash.Hash
	h.SetSeed(t.seed)
	maphash.WriteComparable(&h, t.at)
	_, _ = h.WriteString(key)
	return h.Sum64()
}

// element gives the way to an element of an array of tables.
func (t *tomlTables) element(array uint64, n uint32) uint64 {
	return maphash.Comparable(t.seed, [2]uint64{array, uint64(n)})
}

func (t *tomlTables) put(at uint64, n tomlNode) {
	if t.within > 0 {
		if _, known := t.nodes[at]; !known {
			t.undo = append(t.undo, at)
		}
	}
	t.nodes[at] = n
}

// root goes to the top, where a header begins.
func (t *tomlTables) root() { t.at = 1 }

// section begins, with what its header leads to.
func (t *tomlTables) section() { t.now++ }

// into goes along a header, and makes the tables that are not there.
func (t *tomlTables) into(key string) bool {
	at := t.child(key)
	switch n := t.nodes[at]; n.kind {
	case tomlComplete:
		return false
	case tomlElements:
		at = t.element(at, n.elements)
	case tomlNothing:
		t.put(at, tomlNode{kind: tomlOpen})
	}
	t.at = at
	return true
}

// define goes to the table that a header defines, once.
func (t *tomlTables) define(key string) bool {
	at := t.child(key)
	n := t.nodes[at]
	if n.defined || n.dottedIn > 0 || n.kind != tomlNothing && n.kind != tomlOpen {
		return false
	}
	t.put(at, tomlNode{kind: tomlOpen, defined: true})
	t.at = at
	return true
}

// append goes to a new element of an array of tables.
func (t *tomlTables) append(key string) bool {
	at := t.child(key)
	n := t.nodes[at]
	if n.kind != tomlNothing && n.kind != tomlElements {
		return false
	}
	n.kind = tomlElements
	n.elements++
	t.put(at, n)
	t.at = t.element(at, n.elements)
	return true
}

// dotted goes into a table by a part of a key, and makes it where it is not there. Only the keys of
// one section do so.
func (t *tomlTables) dotted(key string) bool {
	at := t.child(key)
	n := t.nodes[at]
	if n.kind != tomlNothing && n.kind != tomlOpen || n.defined || n.dottedIn > 0 && n.dottedIn < t.now {
		return false
	}
	t.put(at, tomlNode{kind: tomlOpen, dottedIn: t.now})
	t.at = at
	return true
}

// set notes the last part of a key, once.
func (t *tomlTables) set(key string) bool {
	at := t.child(key)
	if t.nodes[at].kind != tomlNothing {
		return false
	}
	t.put(at, tomlNode{kind: tomlComplete})
	return true
}

// inline begins an inline table, and gives what ends it.
func (t *tomlTables) inline() (end func()) {
	outer, undo := t.at, len(t.undo)
	t.inlines++
	t.at = maphash.Comparable(t.seed, [2]uint64{0, t.inlines})
	t.within++
	return func() {
		for _, at := range t.undo[undo:] {
			delete(t.nodes, at)
		}
		t.undo, t.at = t.undo[:undo], outer
		t.within--
	}
}

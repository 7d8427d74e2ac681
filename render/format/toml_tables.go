package format

import "hash/maphash"

// tomlTables know which keys lead where. A table is the hash of the way to it, so that a key takes
// the same few bytes whatever its name.
type tomlTables struct {
	seed    maphash.Seed
	nodes   map[uint64]tomlNode
	at      uint64 // the table that keys are set in
	now     uint32 // the present section: headers so far
	inlines uint64 // inline tables so far
	// undo are nodes of the inline tables around, which nobody can lead into once they are
	// complete.
	undo   []uint64
	within int // inline tables around
}

// A tomlNode is what a key stands for.
type tomlNode struct {
	kind    tomlKind
	defined bool // by a header, which may not stand twice
	// dottedIn is the section, counted from 1, whose dotted keys opened it: later ones may not
	// define or open it; 0: none.
	dottedIn uint32
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

// along goes by the parts of a key to what they stand for, once change makes that of what it stood
// for; by the last one, lastly. It gives how many parts it goes.
func (t *tomlTables) along(key []Node, change, lastly func(n *tomlNode, section uint32) bool) int {
	for i, part := range key {
		if i == len(key)-1 {
			change = lastly
		}
		at := t.child(part.Text)
		n := t.nodes[at]
		if !change(&n, t.now) {
			return i
		}
		t.put(at, n)
		if t.at = at; n.kind == tomlElements {
			t.at = maphash.Comparable(t.seed, [2]uint64{at, uint64(n.elements)})
		}
	}
	return len(key)
}

// into leads along a header. A table that is not there is made.
func (n *tomlNode) into(uint32) bool {
	if n.kind == tomlNothing {
		n.kind = tomlOpen
	}
	return n.kind != tomlComplete
}

// define makes the table that a header defines, once.
func (n *tomlNode) define(uint32) bool {
	fresh := n.mayOpen() && !n.defined && n.dottedIn == 0
	*n = tomlNode{kind: tomlOpen, defined: true}
	return fresh
}

// append makes a new element of an array of tables.
func (n *tomlNode) append(uint32) bool {
	array := n.kind == tomlNothing || n.kind == tomlElements
	n.kind = tomlElements
	n.elements++
	return array
}

// dotted leads into a table by a part of a key, and makes it where it is not there. Only the keys
// of one section do so.
func (n *tomlNode) dotted(section uint32) bool {
	ours := n.mayOpen() && !n.defined && (n.dottedIn == 0 || n.dottedIn == section)
	*n = tomlNode{kind: tomlOpen, dottedIn: section}
	return ours
}

// set makes a value, once.
func (n *tomlNode) set(uint32) bool {
	fresh := n.kind == tomlNothing
	n.kind = tomlComplete
	return fresh
}

func (n *tomlNode) mayOpen() bool { return n.kind == tomlNothing || n.kind == tomlOpen }

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

package format

import "hash/maphash"

// tomlTables know which keys lead where. A table is the hash of the way to it, so that a key takes
// the same few bytes whatever its name.
type tomlTables struct {
	seed    maphash.Seed
	nodes   sums[tomlNode]
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
	// number is that of the section, counted from 1, whose dotted keys opened a table: later ones
	// may not define or open it; 0: none. Of an array of tables it is how many elements there are.
	number uint32
}

type tomlKind uint8

const (
	tomlNothing  tomlKind = iota
	tomlComplete          // a value, inline tables and arrays included: nothing leads into it
	tomlOpen              // a table
	tomlElements          // an array of tables, of which the last is meant
)

func newTOMLTables() *tomlTables {
	return &tomlTables{seed: maphash.MakeSeed(), nodes: newSums[tomlNode](), at: 1, now: 1}
}

// child gives the way to what a key stands for in the present table.
func (t *tomlTables) child(key []byte) uint64 { return t.way(t.at, maphash.Bytes(t.seed, key)) }

// way gives the way that a step leads to from another one. It is never 0.
func (t *tomlTables) way(from, step uint64) uint64 {
	return max(maphash.Comparable(t.seed, [2]uint64{from, step}), 1)
}

// node gives what a way leads to, until the next one is asked for.
func (t *tomlTables) node(way uint64) *tomlNode {
	n, fresh := t.nodes.value(way)
	if fresh && t.within > 0 {
		t.undo = append(t.undo, way)
	}
	return n
}

// root goes to the top, where a header begins.
func (t *tomlTables) root() { t.at = 1 }

// section begins, with what its header leads to.
func (t *tomlTables) section() { t.now++ }

// along goes by the parts of a key to what they stand for, once change makes that of what it stood
// for; by the last one, lastly. It gives how many parts it goes.
func (t *tomlTables) along(key []tomlPart, change, lastly func(n *tomlNode, section uint32) bool) int {
	for i, part := range key {
		if i == len(key)-1 {
			change = lastly
		}
		at := t.child(part.text)
		n := t.node(at)
		if !change(n, t.now) {
			return i
		}
		if t.at = at; n.kind == tomlElements {
			t.at = t.way(at, uint64(n.number))
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
	fresh := n.mayOpen() && !n.defined && n.number == 0
	*n = tomlNode{kind: tomlOpen, defined: true}
	return fresh
}

// append makes a new element of an array of tables.
func (n *tomlNode) append(uint32) bool {
	array := n.kind == tomlNothing || n.kind == tomlElements
	n.kind = tomlElements
	n.number++
	return array
}

// dotted leads into a table by a part of a key, and makes it where it is not there. Only the keys
// of one section do so.
func (n *tomlNode) dotted(section uint32) bool {
	ours := n.mayOpen() && !n.defined && (n.number == 0 || n.number == section)
	*n = tomlNode{kind: tomlOpen, number: section}
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
	t.at = t.way(0, t.inlines)
	t.within++
	return func() {
		for _, at := range t.undo[undo:] {
			t.nodes.forget(at)
		}
		t.undo, t.at = t.undo[:undo], outer
		t.within--
	}
}

// Package memory is a disk in memory whose power may fail, for tests. It keeps apart what a process
// sees and what would be there after a power cut, as a kernel with a page cache does:
//
//   - content, owner and mode of a file become durable by fsync of the file; its name by fsync of
//     the directory, and no sooner;
//   - a power cut keeps what is durable, and of the rest what chance chooses: any of the names'
//     changes, a part of the content;
//   - after an fsync that failed the pages count as clean: the next one says yes and makes nothing
//     durable (Rebello et al., USENIX ATC 2020);
//   - an fsync that lies says yes, and a power cut may take what it was asked to keep (Lies).
//
// There are no links, no mounts but those of Volatile, and nobody is refused anything: what else
// may go wrong package faulty brings.
package memory

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rendered/rendered/internal/disk"
)

// A Disk outlives the processes that write to it.
type Disk struct {
	// Changed, where it is set, is called after a process has made a file, written to it, put
	// something else in its place, or taken it away. It may look at the disk. A file that is open
	// goes by the name that it was made under.
	Changed func(path string)
	// Lies, where it is set, says what becomes of the fsync of a file or a directory. It is called
	// before the fsync, and may look at the disk.
	Lies func(path string) Lie

	mu     sync.Mutex
	root   *node
	count  int     // of all nodes, to tell their age
	open   int     // directories, files and locks that processes hold
	cached []*node // that an fsync left in the cache
}

// A Lie is what an fsync does instead of what it says.
type Lie int

const (
	Honest  Lie = iota // it does what it says
	Cached             // all is in the disk's cache, and durable with the next honest fsync of anything
	Dropped            // it is lost, and counts as clean: what is written anew can become durable
)

// A node is a file or a directory.
type node struct {
	age     int
	entries map[string]*node // as processes see them; nil: a regular file
	kept    map[string]*node // as the disk has them
	pending []change         // from kept to entries
	synced  int              // so many of them an fsync said yes to, and lied
	tmpfs   bool             // nothing of what is in it outlives a power cut
	locked  *Process

	now     inode // as processes see it
	said    inode // as the last fsync said that the disk has it
	durable inode // as the disk has it
	dirty   bool  // fsync would write something
	lost    bool  // an fsync failed, and not everything was written again since
	lied    Lie   // what became of what was said
}

// An inode is what a file is, but for its name.
type inode struct {
	content    []byte
	uid, gid   int
	mode       fs.FileMode
	attributes disk.Attributes
}

// A change is what happened to a directory: a name that came to be, that went, or that became
// another.
type change struct {
	from, to string
	node     *node
}

func (c change) apply(entries map[string]*node) {
	if c.from != "" {
		if entries[c.from] != c.node {
			return // the change before it was lost
		}
		delete(entries, c.from)
	}
	if c.to != "" {
		entries[c.to] = c.node
	}
}

// New gives an empty disk.
func New() *Disk {
	d := new(Disk)
	d.root = d.newDir(0o755)
	return d
}

func (d *Disk) newDir(mode fs.FileMode) *node {
	n := d.newFile()
	n.now.mode, n.said.mode, n.durable.mode = mode, mode, mode
	n.entries, n.kept = make(map[string]*node), make(map[string]*node)
	return n
}

func (d *Disk) newFile() *node {
	d.count++
	as := inode{uid: os.Geteuid(), gid: os.Getegid(), mode: 0o600}
	return &node{age: d.count, now: as, said: as, durable: as}
}

// find gives the node at a path; nil where there is none.
func (d *Disk) find(path string) *node {
	n := d.root
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name != "" && n != nil {
			n = n.entries[name]
		}
	}
	return n
}

// do changes a directory's names.
func (n *node) do(c change) {
	n.pending = append(n.pending, c)
	c.apply(n.entries)
}

// syncNames is an fsync of a directory.
func (d *Disk) syncNames(n *node, lie Lie) {
	if n.synced < len(n.pending) { // else there is nothing to write
		n.synced = len(n.pending)
		d.said(n, lie)
	}
	d.flush(lie)
}

// sync is an fsync of a file.
func (d *Disk) sync(n *node, lie Lie) {
	if n.dirty { // else there is nothing to write, whatever the last one said
		n.dirty, n.said = false, n.now
		if n.lost {
			n.said.content = make([]byte, len(n.now.content)) // the pages that were dropped
		}
		d.said(n, lie)
	}
	d.flush(lie)
}

// said notes what becomes of what an fsync said yes to.
func (d *Disk) said(n *node, lie Lie) {
	n.lied = lie
	switch lie {
	case Honest:
		n.keep()
	case Cached:
		d.cached = append(d.cached, n)
	}
}

// flush makes durable what is in the cache, unless this fsync is a lie, too.
func (d *Disk) flush(lie Lie) {
	if lie != Honest {
		return
	}
	for _, n := range d.cached {
		if n.lied == Cached {
			n.lied = Honest
			n.keep()
		}
	}
	d.cached = nil
}

// keep makes durable what was said to be.
func (n *node) keep() {
	n.durable = n.said
	for _, c := range n.pending[:n.synced] {
		c.apply(n.kept)
	}
	n.pending, n.synced = slices.Clone(n.pending[n.synced:]), 0
}

func (n *node) write(p []byte) {
	n.now.content = slices.Concat(n.now.content, p)
	n.dirty = true
}

// Mkdir makes a directory and those above it, durably.
func (d *Disk) Mkdir(path string, mode fs.FileMode) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if n.entries[name] == nil {
			n.do(change{to: name, node: d.newDir(mode)})
			d.syncNames(n, Honest)
		}
		n = n.entries[name]
	}
}

// Volatile makes a directory one of a file system in memory.
func (d *Disk) Volatile(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.find(path).tmpfs = true
}

// Put writes a file as somebody else does, durably. A file that was there is another one now.
func (d *Disk) Put(path string, content []byte, mode fs.FileMode, attributes disk.Attributes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.newFile()
	n.now.content, n.now.mode, n.now.attributes = content, mode, attributes
	n.said, n.durable = n.now, n.now
	dir := d.find(filepath.Dir(path))
	dir.do(change{to: filepath.Base(path), node: n})
	d.syncNames(dir, Honest)
}

// Chmod changes a file's mode as somebody else does, durably.
func (d *Disk) Chmod(path string, mode fs.FileMode) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(path)
	n.now.mode, n.said.mode, n.durable.mode = mode, mode, mode
}

// Delete takes a name away as somebody else does, durably.
func (d *Disk) Delete(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, name := d.find(filepath.Dir(path)), filepath.Base(path)
	if n := dir.entries[name]; n != nil {
		dir.do(change{from: name, node: n})
		d.syncNames(dir, Honest)
	}
}

// Look gives what a reader that opens the path finds; ok is false where there is nothing.
func (d *Disk) Look(path string) (content []byte, as disk.Info, attributes disk.Attributes, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(path)
	if n == nil || n.entries != nil {
		return nil, disk.Info{}, nil, false
	}
	return n.now.content, n.info(), n.now.attributes, true
}

// Said gives what a file at the path would hold after a power cut at least, if no fsync had lied;
// ok is false where there might be nothing.
func (d *Disk) Said(path string) (content []byte, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if n == nil || n.tmpfs {
			return nil, false
		}
		names := maps.Clone(n.kept)
		for _, c := range n.pending[:n.synced] {
			c.apply(names)
		}
		n = names[name]
	}
	if n == nil || n.entries != nil {
		return nil, false
	}
	return n.said.content, true
}

// Lied tells whether a power cut may take what an fsync said yes to.
func (d *Disk) Lied() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root.hasLied()
}

func (n *node) hasLied() bool {
	if n.lied != Honest {
		return true
	}
	for _, names := range []map[string]*node{n.entries, n.kept} { // the disk may have former ones
		for _, below := range names {
			if below.hasLied() {
				return true
			}
		}
	}
	return false
}

func (n *node) info() disk.Info {
	i := disk.Info{Exists: true, Mode: n.now.mode, UID: n.now.uid, GID: n.now.gid, Size: int64(len(n.now.content)), Links: 1, ID: disk.ID{Inode: uint64(n.age)}}
	if n.entries != nil {
		i.Type = fs.ModeDir
	}
	return i
}

// List gives the names in a directory, the oldest first; nil where there is none.
func (d *Disk) List(path string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(path)
	if n == nil {
		return nil
	}
	return n.names()
}

func (n *node) names() []string {
	return slices.SortedFunc(maps.Keys(n.entries), func(a, b string) int { return n.entries[a].age - n.entries[b].age })
}

// Held counts the directories, files and locks that processes hold.
func (d *Disk) Held() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// Cut is a power cut. Chance decides what is left of all that was not durable. The processes must
// have been killed.
func (d *Disk) Cut(chance *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.root.cut(chance)
	d.cached = nil
}

func (n *node) cut(chance *rand.Rand) {
	switch {
	case n.entries == nil:
		n.cutFile(chance)
		return
	case n.tmpfs:
		n.entries, n.kept, n.pending, n.synced, n.lied = make(map[string]*node), make(map[string]*node), nil, 0, Honest
		return
	}
	// A journal keeps the first of the changes; other file systems may keep any of them.
	ordered, first := chance.IntN(2) == 0, chance.IntN(len(n.pending)+1)
	for i, c := range n.pending {
		if ordered && i < first || !ordered && chance.IntN(2) == 0 {
			c.apply(n.kept)
		}
	}
	n.pending, n.synced, n.entries, n.lied = nil, 0, maps.Clone(n.kept), Honest
	for _, name := range n.names() {
		n.entries[name].cut(chance)
	}
}

func (n *node) cutFile(chance *rand.Rand) {
	switch {
	case n.lied != Honest && chance.IntN(2) == 0:
		n.keep()
	case chance.IntN(2) == 0 && (n.dirty || n.lied != Honest): // written back already, as far as that had come
		n.durable, n.durable.content = n.now, n.now.content[:chance.IntN(len(n.now.content)+1)]
	}
	n.now, n.said, n.dirty, n.lost, n.lied, n.locked = n.durable, n.durable, false, false, Honest, nil
}

// missing is what a path that does not exist gives.
func missing(op, path string) error { return &fs.PathError{Op: op, Path: path, Err: unix.ENOENT} }

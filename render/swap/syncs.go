package swap

import (
	"sync"

	"github.com/rendered/rendered/internal/disk"
)

// A syncs shares the fsyncs of directories among the swaps of a process: one does for all who ask
// before it begins.
type syncs struct {
	jobs *disk.Jobs // nil: none are known

	mu     sync.Mutex
	groups map[disk.ID]*syncing
}

// A syncing is one directory, and how many ask for it to be synced.
type syncing struct {
	*disk.Group
	asking int
}

// sync makes the names of a directory durable.
func (s *syncs) sync(dir disk.Dir) error {
	self, err := dir.Self()
	if err != nil {
		return err
	}
	s.mu.Lock()
	g := s.groups[self.ID]
	if g == nil {
		g = &syncing{Group: disk.NewGroup(s.jobs)}
		s.groups[self.ID] = g
	}
	g.asking++
	r := g.Join()
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if g.asking--; g.asking == 0 {
			delete(s.groups, self.ID)
		}
	}()
	return g.Wait(r, dir.Sync)
}

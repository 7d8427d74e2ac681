package swap

import "sync"

// A register is what the swaps of a process know of each other.
type register struct {
	temporaries set // that they are at work on
	swept       set // directories: there is no temporary in them that an earlier process left
}

// A set has paths, for several goroutines.
type set struct{ paths sync.Map }

func (s *set) add(path string)    { s.paths.Store(path, true) }
func (s *set) remove(path string) { s.paths.Delete(path) }

func (s *set) has(path string) bool {
	_, ok := s.paths.Load(path)
	return ok
}

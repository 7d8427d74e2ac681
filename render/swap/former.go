package swap

// mostFormer is how many bytes of a file Former reads.
const mostFormer = 16 << 20

// Former puts what the destinations hold into the staged files: a check that did not pass can be
// asked about the files as they are, and writes to none of them. It reports whether it has: not
// where a file is new or to be removed, is too large, or has another owner or mode than the staged
// one, which could open it to others, nor where others than root could put another file in the
// place of the staged one. The Swap can only be closed then.
func (s *Swap) Former() (bool, error) {
	if len(s.removed()) > 0 {
		return false, nil
	}
	staged := s.staged()
	former := make([][]byte, len(staged))
	for i, f := range staged {
		var ok bool
		var err error
		if former[i], ok, err = f.former(); !ok || err != nil {
			return false, err
		}
	}
	s.former = true
	for i, f := range staged {
		found, err := f.dir.Stat(f.temp)
		if err == nil {
			err = f.dir.Overwrite(f.temp, found, former[i], f.UID, f.GID, f.Mode, f.attributes.Listed())
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// former gives what the destination holds, where that may be put into the staged file.
func (f *file) former() (content []byte, ok bool, err error) {
	if len(f.foreign) > 0 {
		return nil, false, nil
	}
	found, err := f.dir.Stat(f.name)
	if err != nil || !found.Exists || found.Size > mostFormer || !f.owns(found) {
		return nil, false, err
	}
	content, err = f.dir.Read(f.name, found.Size)
	return content, true, err
}

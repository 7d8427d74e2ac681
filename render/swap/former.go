package swap

// mostFormer is how many bytes of a file Former reads.
const mostFormer = 16 << 20

// Former puts what the destinations hold into the staged files: a check that did not pass can be
// asked about the files as they are, and writes to none of them. It reports whether it has: not
// where a file is new, is too large, or has another owner or mode than the staged one, which could
// open it to others, nor where others than root could put another file in the place of the staged
// one. The Swap can only be closed then.
func (s *Swap) Former() (bool, error) {
	former := make([][]byte, len(s.files))
	for i, f := range s.files {
		if f.temp == "" {
			continue
		}
		if len(f.foreign) > 0 {
			return false, nil
		}
		found, err := f.dir.Stat(f.name)
		if err != nil || !found.Exists || found.Size > mostFormer || found.Mode != f.Mode || found.UID != f.UID || found.GID != f.GID {
			return false, err
		}
		if former[i], err = f.dir.Read(f.name, found.Size); err != nil {
			return false, err
		}
	}
	s.former = true
	for i, f := range s.files {
		if f.temp == "" {
			continue
		}
		staged, err := f.dir.Stat(f.temp)
		if err == nil {
			err = f.dir.Overwrite(f.temp, staged, former[i], f.UID, f.GID, f.Mode, f.attributes.Listed())
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

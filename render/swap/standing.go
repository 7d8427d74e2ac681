package swap

import "io/fs"

// at gives the file of a destination at which something stands; nil where nothing does.
func (s *Swap) at(path string) *file {
	for _, f := range s.files {
		if f.Path == path && f.state != NotThere && f.dir != nil {
			return f
		}
	}
	return nil
}

// Content gives what stands at a destination now. The error is a disk.TooLarge where that is more
// than so many bytes, fs.ErrNotExist where nothing stands there.
func (s *Swap) Content(path string, most int64) ([]byte, error) {
	f := s.at(path)
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return f.dir.Read(f.name, most)
}

// A Former is a file as it stands at a destination.
type Former struct {
	Content  []byte
	UID, GID int
	Mode     fs.FileMode
	InPlace  bool // it is written where it is
}

// FormerOf is Content, and says whose the file is and who may read it.
func (s *Swap) FormerOf(path string, most int64) (Former, error) {
	f := s.at(path)
	if f == nil {
		return Former{}, fs.ErrNotExist
	}
	found, err := f.dir.Stat(f.name)
	if err != nil {
		return Former{}, err
	}
	content, err := f.dir.Read(f.name, most)
	return Former{content, found.UID, found.GID, found.Mode, f.InPlace}, err
}

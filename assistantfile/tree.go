package assistantfile

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
)

const (
	// MaxDepth is how many folders may stand in one another.
	MaxDepth = 8
	// maxEntries bounds the files and folders that are looked at: all assistants of an account with a hundred versions each.
	maxEntries = 1_000_000
	// Extension is that of every file.
	Extension = ".md"
	// VersionsExtension is that of the folder that holds an assistant's saved versions: support.versions beside support.md.
	VersionsExtension = ".versions"
)

// Entry is an assistant of a folder.
type Entry struct {
	// Path is its file's, from the folder and with slashes.
	Path string
	*Assistant
	// Versions are the files of its saved versions, the oldest first.
	Versions []string
}

// VersionsPath is the folder for the saved versions of an assistant's file.
func VersionsPath(file string) string { return strings.TrimSuffix(file, Extension) + VersionsExtension }

// ReadTree reads all assistants of a folder and of the folders in it: the files that end in .md, but for README.md and
// what begins with a dot. Their saved versions are checked and left to ReadVersions. Symbolic links are refused. What
// could be read is returned beside an error, which is Problems.
func ReadTree(fsys fs.FS) ([]Entry, error) {
	t := tree{fsys: fsys}
	t.folder(".", 1)
	if len(t.entries) > elumenta.MaxAssistants {
		t.problems.add(".", 0, 0, "holds %d assistants; an account may have %d", len(t.entries), elumenta.MaxAssistants)
	}
	if len(t.problems) > 0 {
		return t.entries, t.problems
	}
	return t.entries, nil
}

// ReadVersions reads the saved versions of an entry, the oldest first.
func ReadVersions(fsys fs.FS, e *Entry) ([]Version, error) {
	t := tree{fsys: fsys}
	versions := make([]Version, 0, len(e.Versions))
	t.eachVersion(e.Versions, func(v *Version) { versions = append(versions, *v) })
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return versions, nil
}

type tree struct {
	fsys     fs.FS
	entries  []Entry
	seen     int
	problems Problems
}

func (t *tree) wrong(name, format string, args ...any) { t.problems.add(name, 0, 0, format, args...) }

// list is the entries of a folder that count.
func (t *tree) list(dir string, depth int) []fs.DirEntry {
	if depth > MaxDepth {
		t.wrong(dir, "stands deeper than %d folders", MaxDepth)
		return nil
	}
	items, err := fs.ReadDir(t.fsys, dir)
	if err != nil {
		t.wrong(dir, "cannot be read: %s", reason(err))
	}
	if t.seen += len(items); t.seen > maxEntries {
		t.wrong(dir, "there are more than %d files: is this the folder that you meant?", maxEntries)
		return nil
	}
	return slices.DeleteFunc(items, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
}

func (t *tree) folder(dir string, depth int) {
	items := t.list(dir, depth)
	histories := map[string][]string{}
	for _, e := range items {
		if file := path.Join(dir, e.Name()); e.IsDir() && strings.HasSuffix(file, VersionsExtension) {
			histories[file] = t.history(file, depth+1)
		}
	}
	for _, e := range items {
		file := path.Join(dir, e.Name())
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			t.wrong(file, "is a symbolic link: put what it points to in its place")
		case e.IsDir() && strings.HasSuffix(file, Extension):
			t.wrong(file, "is a folder, and a name that ends in %s is a file's: rename it", Extension)
		case e.IsDir() && strings.HasSuffix(file, VersionsExtension): // read above
		case e.IsDir():
			t.folder(file, depth+1)
		case strings.HasSuffix(file, Extension) && !strings.EqualFold(e.Name(), "README"+Extension):
			versions := histories[VersionsPath(file)]
			delete(histories, VersionsPath(file))
			t.file(file, versions)
		}
	}
	for _, orphan := range slices.Sorted(maps.Keys(histories)) {
		t.wrong(orphan, "holds versions of an assistant that is not beside it: remove it, or put %s back", strings.TrimSuffix(orphan, VersionsExtension)+Extension)
	}
}

func (t *tree) file(file string, versions []string) {
	b, ok := readLimited(t.fsys, file, MaxFile, &t.problems)
	if !ok {
		return
	}
	a, err := Parse(file, b)
	t.gather(err)
	if a != nil {
		t.entries = append(t.entries, Entry{file, a, versions})
	}
}

func (t *tree) gather(err error) {
	if problems, ok := errors.AsType[Problems](err); ok {
		t.problems = append(t.problems, problems...)
	}
}

// history checks the saved versions of an assistant and returns their files.
func (t *tree) history(dir string, depth int) []string {
	items := t.list(dir, depth)
	const tooMany = "holds %d versions; an assistant may have %d"
	if len(items) > elumenta.MaxHistory {
		t.wrong(dir, tooMany, len(items), elumenta.MaxVersions)
		return nil
	}
	type numbered struct {
		n    int
		file string
	}
	var files []numbered
	for _, e := range items {
		file := path.Join(dir, e.Name())
		n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), Extension))
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			t.wrong(file, "is a symbolic link: put what it points to in its place")
		case err != nil || n < 1 || e.Name() != strconv.Itoa(n)+Extension:
			t.wrong(file, "is not a version: their files are named by number, such as 3%s", Extension)
		default:
			files = append(files, numbered{n, file})
		}
	}
	slices.SortFunc(files, func(a, b numbered) int { return cmp.Compare(a.n, b.n) })
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.file
	}
	changes, before := 0, &elumenta.Fields{}
	t.eachVersion(names, func(v *Version) {
		if !before.Equal(v.Fields) {
			changes++
		}
		before = &v.Fields
	})
	if changes > elumenta.MaxVersions { // what changes visibility alone is not counted
		t.wrong(dir, tooMany, changes, elumenta.MaxVersions)
	}
	return names
}

// eachVersion reads saved versions and checks that they make a history.
func (t *tree) eachVersion(files []string, use func(v *Version)) {
	var before *Version
	for _, file := range files {
		b, ok := readLimited(t.fsys, file, MaxFile, &t.problems)
		if !ok {
			continue
		}
		v, err := ParseVersion(file, b)
		t.gather(err)
		if v == nil {
			continue
		}
		if named := strings.TrimSuffix(path.Base(file), Extension); named != strconv.Itoa(v.Version.Version) {
			line, column := v.Where("version")
			t.problems.add(file, line, column, "version is %d, and the file is named %s: make them the same", v.Version.Version, named)
		}
		if before != nil && v.CreatedAt.Before(before.CreatedAt) {
			line, column := v.Where("created_at")
			t.problems.add(file, line, column, "created_at is before that of version %d", before.Version.Version)
		}
		before = v
		use(v)
	}
}

// reason is an error without the path, which stands before it.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed paymosync/*.sql warehouse/*.sql
var embedded embed.FS

// Placeholders in the warehouse's files.
const (
	schemaPlaceholder  = "{{schema}}"         // the schema's name as an SQL identifier
	literalPlaceholder = "{{schema_literal}}" // that identifier as an SQL string
)

// files are a set's SQL files; those of the warehouse name its schema.
func files(set, warehouse string) (fs.FS, error) {
	dir, err := fs.Sub(embedded, set)
	if err != nil {
		return nil, fmt.Errorf("read the %s migrations: %w", set, err)
	}
	if set != Warehouse {
		return dir, nil
	}
	schema := quote(warehouse)
	literal := "'" + strings.ReplaceAll(schema, "'", "''") + "'"
	return filled{FS: dir, replace: strings.NewReplacer(schemaPlaceholder, schema, literalPlaceholder, literal)}, nil
}

// Fingerprint names the content of all sets: it changes when any migration does.
func Fingerprint() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(embedded, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(embedded, path)
		fmt.Fprintf(sum, "%s\n%s\n", path, text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the migrations: %w", err)
	}
	migrator, err := riverMigrator(nil)
	if err != nil {
		return "", err
	}
	for _, m := range migrator.AllVersions() {
		fmt.Fprintf(sum, "%d\n%s\n", m.Version, m.SQLUp)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6]), nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// filled is a directory of files in which placeholders are filled in as they are read.
type filled struct {
	fs.FS
	replace *strings.Replacer
}

// Open opens a file with its placeholders filled in, or a directory as it is.
func (f filled) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		return file, err
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return &filledFile{Reader: strings.NewReader(f.replace.Replace(string(text))), info: info}, nil
}

// filledFile is a file in memory. Its info is that of the file it was made from, so
// the size is the template's.
type filledFile struct {
	*strings.Reader
	info fs.FileInfo
}

func (f *filledFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *filledFile) Close() error               { return nil }

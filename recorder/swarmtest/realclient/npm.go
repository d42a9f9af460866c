package realclient

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// npmFiles are the programs for Node.js, and what they need of the npm registry, in exactly which versions.
//
//go:embed npm/package.json npm/package-lock.json npm/nodes.js
var npmFiles embed.FS

// nodesProgram is the program that runs nodes of the DHT.
const nodesProgram = "nodes.js"

// installNPM gives a folder with the programs and what they need. What it had to fetch is kept in the user's cache for the next time.
func installNPM(ctx context.Context) (string, error) {
	programs, err := fs.Sub(npmFiles, "npm")
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range []string{"package.json", "package-lock.json", nodesProgram} {
		content, err := fs.ReadFile(programs, name)
		if err != nil {
			return "", err
		}
		sum.Write(content)
	}
	folder := filepath.Join(cache, "btda-tests", fmt.Sprintf("npm-%x", sum.Sum(nil)[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	return folder, install(ctx, programs, folder)
}

// install makes a folder with the programs, all at once: who finds it finds it whole.
func install(ctx context.Context, programs fs.FS, folder string) error {
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	begun, err := os.MkdirTemp(filepath.Dir(folder), "begun-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(begun)
	if err := os.CopyFS(begun, programs); err != nil {
		return err
	}
	command := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	command.Dir = begun
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("realclient: npm ci: %w\n%s", err, said)
	}
	err = os.Rename(begun, folder)
	if errors.Is(err, fs.ErrExist) { // another test was faster
		return nil
	}
	return err
}

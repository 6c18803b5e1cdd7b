<#
.SYNOPSIS
Installs datumctl for the person who runs it, or takes it away again with -Uninstall.

.DESCRIPTION
  irm ADDRESS/install.ps1 | iex
  $env:VERSION = '0.1.0'; .\install.ps1

VERSION    which release; the newest when not set
PREFIX     where to: the program in PREFIX\bin; %LOCALAPPDATA%\Programs\datumctl when not set
BASE_URL   where releases are served, as REPOSITORY/releases

Nothing is installed before its SHA-256 was checked and the program was seen to start. It never asks for
administrator's rights. It works in Windows PowerShell 5.1 and in PowerShell 7.
#>
param([switch] $Uninstall)

function Install-Datumctl {
    param([bool] $Uninstall)

    Set-StrictMode -Version 3
    $ErrorActionPreference = 'Stop'
    # The bar of progress makes downloads many times slower in Windows PowerShell.
    $ProgressPreference = 'SilentlyContinue'
    $repository = 'datumctl/datumctl'

    function Test-Loopback([Uri] $Address) {
        return $Address.IsAbsoluteUri -and $Address.Scheme -eq 'http' -and $Address.Host -in 'localhost', '127.0.0.1', '[::1]'
    }

    # Fetches over HTTPS alone, redirects included; http is for this machine itself.
    function Get-Release([string] $Address, [string] $File) {
        $next = [Uri] $Address
        for ($hop = 0; $hop -lt 6; $hop++) {
            if ($next.Scheme -ne 'https' -and -not (Test-Loopback $next)) {
                throw "Not fetched, for it is not https: $next"
            }
            $request = [Net.HttpWebRequest]::Create($next)
            $request.AllowAutoRedirect = $false
            $request.UserAgent = 'datumctl-install'
            $request.Timeout = 60000
            $answer = $request.GetResponse()
            try {
                $status = [int] $answer.StatusCode
                if ($status -ge 300 -and $status -lt 400) {
                    $target = New-Object Uri $next, $answer.Headers['Location']
                    if ($target.Scheme -ne 'https') { throw "Not followed, for it is not https: $target" }
                    $next = $target
                    continue
                }
                $body = $answer.GetResponseStream()
                $written = [IO.File]::Create($File)
                try { $body.CopyTo($written) } finally { $written.Dispose(); $body.Dispose() }
                if ($answer.ContentLength -ge 0 -and (Get-Item -LiteralPath $File).Length -ne $answer.ContentLength) {
                    throw "The answer was cut short: $next"
                }
                return
            } finally {
                $answer.Dispose()
            }
        }
        throw "Too many redirects: $Address"
    }

    # The person's own PATH, which new windows get, with or without our folder.
    function Set-PersonPath([string] $Folder, [bool] $Wanted) {
        $key = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', $true)
        try {
            $unexpanded = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames
            $old = [string] $key.GetValue('Path', '', $unexpanded)
            $parts = @($old -split ';' | Where-Object { $_ -ne '' -and $_.TrimEnd('\') -ne $Folder })
            if ($Wanted) { $parts += $Folder }
            $new = $parts -join ';'
            if ($new -eq $old) { return $false }
            $key.SetValue('Path', $new, [Microsoft.Win32.RegistryValueKind]::ExpandString)
        } finally {
            $key.Dispose()
        }
        # Setting any variable this way tells the running programs that the environment is another.
        [Environment]::SetEnvironmentVariable('DATUMCTL_INSTALL', $null, 'User')
        return $true
    }

    $prefix = if ($env:PREFIX) { [IO.Path]::GetFullPath($env:PREFIX) } else {
        if (-not $env:LOCALAPPDATA) { throw 'LOCALAPPDATA is not set. Set PREFIX to a folder that is yours.' }
        Join-Path $env:LOCALAPPDATA 'Programs\datumctl'
    }
    $bin = Join-Path $prefix 'bin'
    $program = Join-Path $bin 'datumctl.exe'
    $receipt = Join-Path $prefix 'installed-files.txt'

    if ($Uninstall) {
        if (-not (Test-Path -LiteralPath $receipt)) {
            throw "This installer put nothing into $prefix. Set PREFIX to the folder that it was installed into."
        }
        foreach ($name in Get-Content -LiteralPath $receipt) {
            if ($name -eq '' -or $name -match '\.\.|:' -or $name -match '^[\\/]') { continue }
            Remove-Item -LiteralPath (Join-Path $prefix $name) -Force -ErrorAction SilentlyContinue
        }
        Remove-Item -LiteralPath $receipt -Force
        foreach ($folder in $bin, (Join-Path $prefix 'completions'), $prefix) {
            $holds = Get-ChildItem -LiteralPath $folder -Force -ErrorAction SilentlyContinue
            if ((Test-Path -LiteralPath $folder) -and -not $holds) { Remove-Item -LiteralPath $folder -Force }
        }
        [void] (Set-PersonPath $bin $false)
        Write-Output "Removed datumctl from $prefix."
        Write-Output "Your sessions are still there: $env:LOCALAPPDATA\datumctl, $env:APPDATA\datumctl and the Credential Manager."
        Write-Output 'To end them, install datumctl again and run: datumctl logout --all'
        return
    }

    # On arm64, Windows PowerShell 5.1 itself may be translated, and says AMD64.
    $told = if ($env:PROCESSOR_ARCHITEW6432) { $env:PROCESSOR_ARCHITEW6432 } else { $env:PROCESSOR_ARCHITECTURE }
    $machine = switch ($told) {
        'AMD64' { 'amd64' }
        'ARM64' { 'arm64' }
        default { throw "There is no datumctl for $told machines, only for AMD64 and ARM64." }
    }
    [Net.ServicePointManager]::SecurityProtocol =
        [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

    $base = if ($env:BASE_URL) { $env:BASE_URL.TrimEnd('/') } else { "https://github.com/$repository/releases" }
    if (-not $base.StartsWith('https://') -and -not (Test-Loopback $base)) {
        throw "BASE_URL must begin with https:// (http:// is for this machine itself): $base"
    }
    if ((Test-Path -LiteralPath $program) -and -not (Test-Path -LiteralPath $receipt)) {
        $says = & $program version 2>$null | Out-String
        if ($says -notmatch 'Deno ') {
            throw "There is another program at $program. Move it away first, or set PREFIX to another folder."
        }
    }

    [void] (New-Item -ItemType Directory -Force -Path $bin)
    $stage = Join-Path $prefix ('.datumctl-install.' + [IO.Path]::GetRandomFileName())
    [void] (New-Item -ItemType Directory -Path $stage)
    try {
        $wanted = if ($env:VERSION) { $env:VERSION -replace '^v', '' } else { '' }
        $sums = if ($wanted) { "$base/download/v$wanted/checksums.txt" } else { "$base/latest/download/checksums.txt" }
        $list = Join-Path $stage 'checksums.txt'
        try { Get-Release $sums $list } catch {
            throw "Cannot fetch the list of sums: $sums`n$_`nIs there a network here, and is it the right VERSION?"
        }
        $pattern = "^([0-9a-f]{64}) [ *](datumctl_([0-9A-Za-z.+-]+)_windows_$machine\.zip)`$"
        $line = Get-Content -LiteralPath $list | Select-String -Pattern $pattern | Select-Object -First 1
        if (-not $line) { throw "The release has no archive for Windows on ${machine}: $sums" }
        $expected, $archive, $version = $line.Matches[0].Groups[1..3].Value
        if ($wanted -and $version -ne $wanted) {
            throw "The list of sums is of another release: $version instead of $wanted ($sums)"
        }

        Write-Output "Fetching datumctl $version for Windows on $machine"
        $file = Join-Path $stage $archive
        $address = "$base/download/v$version/$archive"
        try { Get-Release $address $file } catch { throw "Cannot fetch ${address}: $_`nNothing was installed." }
        $found = (Get-FileHash -Algorithm SHA256 -LiteralPath $file).Hash.ToLowerInvariant()
        if ($found -ne $expected) {
            throw "$archive is not the file that was published: its SHA-256 is another one.`n" +
                "expected $expected`nreceived $found`nNothing was installed."
        }

        $new = Join-Path $stage 'new'
        Expand-Archive -LiteralPath $file -DestinationPath $new
        $says = & (Join-Path $new 'datumctl.exe') version 2>&1 | Out-String
        if ($LASTEXITCODE -ne 0) { throw "The program does not start on this system:`n$says`nNothing was installed." }

        $files = [ordered] @{
            'completions\datumctl.ps1'      = 'completions\datumctl.ps1'
            'docker-credential-datumctl.cmd' = 'bin\docker-credential-datumctl.cmd'
            'LICENSE'                       = 'LICENSE'
            'THIRD-PARTY-LICENSES.txt'      = 'THIRD-PARTY-LICENSES.txt'
            'datumctl.exe'                  = 'bin\datumctl.exe'
        }
        $placed = @()
        foreach ($from in $files.Keys) {
            $source = Join-Path $new $from
            if (-not (Test-Path -LiteralPath $source)) { continue }
            $target = Join-Path $prefix $files[$from]
            [void] (New-Item -ItemType Directory -Force -Path (Split-Path $target))
            # A program that runs can be renamed but not replaced; what it was goes with the stage or the next update.
            if (Test-Path -LiteralPath $target) {
                Get-ChildItem -Path "$target.old-*" | Remove-Item -Force -ErrorAction SilentlyContinue
                $aside = "$target.old-" + [IO.Path]::GetRandomFileName()
                Move-Item -LiteralPath $target -Destination $aside
                try { Move-Item -LiteralPath $source -Destination $target } catch {
                    Move-Item -LiteralPath $aside -Destination $target
                    throw
                }
                Remove-Item -LiteralPath $aside -Force -ErrorAction SilentlyContinue
            } else {
                Move-Item -LiteralPath $source -Destination $target
            }
            $placed += $files[$from]
        }
        Set-Content -LiteralPath $receipt -Value $placed -Encoding UTF8

        Write-Output "Installed datumctl ${version}: $program"
        if (Set-PersonPath $bin $true) { Write-Output "$bin is on your PATH in every new window." }
        $first = Get-Command datumctl -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
        if ($first -and $first.Source -ne $program) {
            Write-Output "Another datumctl comes first on your PATH: $($first.Source)"
        }
        Write-Output ''
        Write-Output 'Next, in a new window: datumctl login'
        Write-Output 'Completion: datumctl completion --help'
    } finally {
        Remove-Item -LiteralPath $stage -Recurse -Force -ErrorAction SilentlyContinue
    }
}

Install-Datumctl -Uninstall $Uninstall.IsPresent

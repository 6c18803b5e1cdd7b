/** Completion in PowerShell 5.1 and newer. */

/** The script. */
export const POWERSHELL = `# Completion of datumctl for PowerShell.

Register-ArgumentCompleter -Native -CommandName 'datumctl', 'datumctl.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $length = [Math]::Max(0, $cursorPosition - $commandAst.Extent.StartOffset)
    $line = $commandAst.Extent.Text.PadRight($length).Substring(0, $length)
    $program = Get-Command datumctl -CommandType Application -TotalCount 1 -ErrorAction SilentlyContinue
    if ($null -eq $program) { return }
    $console = [Console]::OutputEncoding
    try {
        $OutputEncoding = New-Object System.Text.UTF8Encoding $false
        [Console]::OutputEncoding = $OutputEncoding
        $answer = @($line | & $program __complete powershell 2>$null)
    } catch {
        return
    } finally {
        [Console]::OutputEncoding = $console
    }
    if ($answer.Count -lt 2 -or ($answer[0] -ne 'words' -and $answer[0] -ne 'open')) { return }
    foreach ($row in $answer[1..($answer.Count - 1)]) {
        $text, $shown, $about = $row -split "\`t", 3
        [System.Management.Automation.CompletionResult]::new($text, $shown, 'ParameterValue', $about)
    }
}
`;

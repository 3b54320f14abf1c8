// Buttons of scripts that copy.

// copyText copies, or says what to do where a page may not: without TLS on another host. texts are those of the button.
export async function copyText(content, button, texts) {
  let copied = true;
  try {
    await navigator.clipboard.writeText(content);
  } catch {
    copied = false;
  }
  button.textContent = copied ? texts.textCopied : texts.textNotCopied;
  setTimeout(() => (button.textContent = texts.textCopy), 2000);
  return copied;
}

/** How Mantine's parts look here. Variables stand in app.css, so that no style is ever written inline. */

import { createTheme, Menu, Modal, Popover, Tooltip } from "@mantine/core";

export const theme = createTheme({
  fontFamily: "var(--mantine-font-family)",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    // Holding the page still would need a style of its own in the page.
    Modal: Modal.extend({ defaultProps: { lockScroll: false, centered: false, overlayProps: { backgroundOpacity: 0.45 } } }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", withinPortal: true } }),
    Popover: Popover.extend({ defaultProps: { shadow: "md" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 250, events: { hover: true, focus: true, touch: true }, multiline: true, maw: 320 } }),
  },
});

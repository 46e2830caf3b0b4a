"""WavLM's attention (arXiv 2110.13900) with projections that are called.

Stock ``WavLMAttention`` hands ``q_proj.weight`` and the like to a function of
PyTorch, so that LoRA over ``q_proj`` gets no gradient and changes nothing.
"""

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.wavlm.modeling_wavlm import WavLMAttention


class CallingAttention(WavLMAttention):
    """WavLM's attention, equal to the stock one, that calls its projections.

    The gated bias of relative positions is the stock code's. The averaged
    attention weights, which nothing reads, are not computed.
    """

    def rewire(self) -> None:
        """Checks that the stock class still has what is replaced here.

        Raises
        ------
        ValueError
            If it has not, since LoRA would train nothing without a word.
        """
        if not hasattr(WavLMAttention, "torch_multi_head_self_attention"):
            raise ValueError(
                "This version of transformers computes WavLM's attention in "
                "another way: install one that setup.py allows."
            )

    def undo(self) -> None:
        """Has nothing to arrange: all parts are where they were."""

    def torch_multi_head_self_attention(  # type: ignore[override]
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None,
        gated_position_bias: torch.Tensor,
        *unused: object,
    ) -> tuple[torch.Tensor, None]:
        """Attends in [B, T, d], with bias [B * heads, T, T], mask [B, T]."""
        batch, length = hidden_states.shape[:2]
        bias = gated_position_bias.view(batch, self.num_heads, length, length)
        if attention_mask is not None:
            hidden = attention_mask.ne(1)[:, None, None]
            bias = bias.masked_fill(hidden, float("-inf"))
        query, key, value = (
            project(hidden_states)
            .view(batch, length, self.num_heads, self.head_dim)
            .transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        output = scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=bias.to(query.dtype),
            dropout_p=self.dropout if self.training else 0.0,
        )
        # No view, whose strides an exported graph would not have.
        output = torch.cat(output.unbind(1), dim=-1)
        return self.out_proj(output), None

    def forward(  # type: ignore[override]
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> tuple:
        """Runs the stock attention on [B, T, d].

        Raises
        ------
        ValueError
            If the first layer made its bias for another number of tokens.
        """
        length = hidden_states.shape[1]
        if position_bias is not None and position_bias.shape[-1] != length:
            raise ValueError(
                f"This layer of WavLM reads {length} tokens, but the first "
                f"one {position_bias.shape[-1]}, and makes the bias of "
                "relative positions for all layers: put prompts or prefixes "
                "into every layer, the same number of them."
            )
        return super().forward(
            hidden_states, attention_mask, position_bias, **kwargs
        )


REWIRED = {"WavLMAttention": CallingAttention}
